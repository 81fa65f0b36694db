# command:
# args: a b
import sys

print(sys.argv)
print("__file__" in globals(), __name__, __loader__, __spec__)
