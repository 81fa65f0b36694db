from helper import Loud

_private = Loud("private")
b = Loud("b")
a = Loud("a")
b2 = [Loud("in a list")]
print("end")
