# Calls itself for ever: CPython notices.
#
# status: error
# exit: 1
# error: RecursionError
def f():
    return f()
f()
