# differs: two levels of the recursion limit are taken
def f(n):
    return f(n + 1)


f(0)
