import atexit
import sys


def fails(x):
    print("in fails", x)
    raise ValueError("too late")


def leaves():
    sys.exit(7)


atexit.register(print, "last")
atexit.register(fails, 1)
atexit.register(leaves)
atexit.register(lambda: print("first"))
print("main")
