import sys


def hook(kind, value, trace):
    print("leaving")
    sys.exit(9)


sys.excepthook = hook
1 / 0
