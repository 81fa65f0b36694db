import sys

del sys.modules["__main__"]
print("still running", __name__)
1 / 0
