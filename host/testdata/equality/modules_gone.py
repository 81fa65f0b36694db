import sys

sys.modules.clear()
print("still here")
