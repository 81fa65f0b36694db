import weakref


class A:
    pass


a = A()
weakref.finalize(a, print, "finalize at exit")
b = A()
weakref.finalize(b, print, "finalize now")
del b
r = weakref.ref(a, lambda _: print("reference callback"))
print("end")
