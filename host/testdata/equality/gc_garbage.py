import gc


class A:
    def __init__(self):
        self.me = self


gc.collect()
for _ in range(5):
    A()
print(gc.collect() >= 5, gc.isenabled(), gc.get_threshold(), gc.garbage)
gc.disable()
A()
