# differs: two levels of the recursion limit are taken
def a(n):
    return b(n)


def b(n):
    return a(n)


a(1)
