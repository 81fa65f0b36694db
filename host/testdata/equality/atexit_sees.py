import atexit
import sys

value = [1]
atexit.register(lambda: print(value, __name__, sys.modules["__main__"].value, sys.exc_info(), sys.last_value))
1 / 0
