import sys


def hook(kind, value, trace):
    print("hook:", kind.__name__, value, trace.tb_lineno, sys.exc_info())
    sys.__excepthook__(kind, value, trace)


sys.excepthook = hook
print(1)
[][1]
