from helper import Loud


def f():
    local = Loud("local of a failing frame")
    raise ValueError("x")


g = Loud("global")
f()
