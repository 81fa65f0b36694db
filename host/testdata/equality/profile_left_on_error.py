# differs: a trace function that is left on hides the exception that ends the program
import sys


def trace(frame, event, arg):
    return trace


sys.settrace(trace)
1 / 0
