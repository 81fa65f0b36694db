# Runs bytecode that no compiler made.
#
# status: error
# exit: 134
# error: trap
def f():
    pass
f.__code__ = f.__code__.replace(co_code=bytes([100, 255, 0, 0] * 50 + [83, 0]), co_consts=(), co_stacksize=1)
f()
