import weakref


class Node:
    def __init__(self, name):
        self.name = name
        self.me = self

    def __del__(self):
        print("gone:", self.name, sorted(k for k in globals() if k in ("Node", "first", "second", "weakref")))


first = Node("first")
second = Node("second")
keep = weakref.ref(first, lambda r: print("callback"))
print("end")
