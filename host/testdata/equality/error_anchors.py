class A:
    b = None


def f(a):
    return (
        a.b.c
        + 1
    )


é = A()
ünïcode = "漢字" and f(é).x.y + 2
