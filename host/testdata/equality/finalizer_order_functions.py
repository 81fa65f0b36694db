from helper import Loud


def function():
    return c


c = Loud("c")
_private = Loud("private")
a = Loud("a")
z = (a, Loud("nested"))
print("end")
