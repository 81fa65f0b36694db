import sys

print(repr(sys.stdin.read()), list(sys.stdin))
try:
    input()
except EOFError as e:
    print("EOFError", e)
