import sys

calls = []


def trace(frame, event, arg):
    calls.append((event, frame.f_code.co_name))
    return trace


def f():
    return 1


sys.settrace(trace)
f()
sys.settrace(None)
sys.setprofile(lambda frame, event, arg: calls.append(("profile", event)))
len([])
sys.setprofile(None)
print(calls)
