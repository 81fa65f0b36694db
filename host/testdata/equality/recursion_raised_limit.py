import sys

sys.setrecursionlimit(5000)


def f(n):
    return n and 1 + f(n - 1)


print(f(4000))
