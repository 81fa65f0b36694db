import sys

count = 0


def trace(frame, event, arg):
    global count
    count += 1


sys.settrace(trace)
print("tracing to the end")
