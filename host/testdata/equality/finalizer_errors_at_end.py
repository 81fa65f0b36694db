# differs: the library is still there when finalizers run at the end, so it can show their lines
class A:
    def __del__(self):
        1 / 0


a = A()
print("end")
