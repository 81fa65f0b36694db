import inspect
import sys


def f():
    frame = sys._getframe()
    return frame.f_back.f_code.co_name, frame.f_back.f_lineno, inspect.stack()[0].code_context


print(f())
print(inspect.getsource(f))
print(inspect.getsourcefile(f), inspect.getmodule(f).__name__)
