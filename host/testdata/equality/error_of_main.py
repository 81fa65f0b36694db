class Problem(Exception):
    class Inner(Exception):
        pass


def f():
    class Local(Exception):
        pass

    raise Local("x")


try:
    raise Problem.Inner
except Problem.Inner:
    f()
