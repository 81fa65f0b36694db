import os
import sys

print(__file__, sys.argv[0], os.path.dirname(os.path.abspath(__file__)), sys.path[0])


def f():
    pass


print(f.__code__.co_filename, f.__module__, f.__globals__ is globals())
