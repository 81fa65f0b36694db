import functools


def a(n):
    return b(n - 1) if n else [].pop()


def b(n):
    return a(n)


@functools.cache
def c(n):
    return c(n - 1) if n else a(6)


c(8)
