import sys


class Guard:
    def __del__(self):
        print("guard gone")


def f():
    guard = Guard()
    sys.exit("leaving é")


f()
