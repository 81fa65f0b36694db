# differs: the library is still there when finalizers run at the end, so they can import
class A:
    def __del__(self):
        import colorsys

        print(colorsys.__name__)


a = A()
print("end")
