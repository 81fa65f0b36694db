import weakref


class A:
    pass


d = weakref.WeakValueDictionary()
d["k"] = A()
print(dict(d))
a = A()
d["a"] = a
print(list(d))
