import sys


class Broken:
    def write(self, text):
        pass

    def flush(self):
        raise OSError("cannot flush")


sys.stdout = Broken()
sys.unraisablehook = lambda args: sys.stderr.write(f"hook: {args.exc_value}\n")
