# env: LANG=C
import sys

print(sys.stdout.errors)
print("\udcff")
sys.stdout.flush()
print("\ud800")
