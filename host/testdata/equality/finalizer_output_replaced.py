import io
import sys


class A:
    def __del__(self):
        print("shown, since standard output is back")


a = A()
sys.stdout = io.StringIO()
print("hidden")
