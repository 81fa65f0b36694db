import sys
import types

other = types.ModuleType("__main__")
other.x = 1
sys.modules["__main__"] = other
import __main__

print(__main__.x, __name__)
