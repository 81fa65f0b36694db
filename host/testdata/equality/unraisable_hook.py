import sys


class A:
    def __del__(self):
        raise ValueError("in a finalizer")


sys.unraisablehook = lambda args: print("hook:", args.exc_value, args.err_msg, args.object.__qualname__)
A()
sys.unraisablehook = sys.__unraisablehook__
A()
