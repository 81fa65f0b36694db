import sys


def depth(n=0):
    try:
        return depth(n + 1)
    except RecursionError:
        return n


print(900 < depth() < 1000, sys.getrecursionlimit())
sys.setrecursionlimit(300)
print(200 < depth() < 300)
try:
    sys.setrecursionlimit(0)
except ValueError as e:
    print(e)
