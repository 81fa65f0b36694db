import sys

print("before")
del sys.stdout, sys.__stdout__, sys.stderr, sys.__stderr__
