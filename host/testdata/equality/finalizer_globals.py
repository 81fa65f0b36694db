import sys

prefix = "bye"


class A:
    def __del__(self):
        print(prefix, self.__class__.__name__, sys is not None, file=sys.stderr)


a = A()
