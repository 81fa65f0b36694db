# differs: Python prints the innards of the exception
import sys

print("before")
sys.stderr.close()
1 / 0
