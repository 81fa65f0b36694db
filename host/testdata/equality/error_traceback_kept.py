import sys
import traceback


def f():
    1 / 0


try:
    f()
except ZeroDivisionError as e:
    kept = e
print([(s.name, s.lineno, s.line) for s in traceback.extract_tb(kept.__traceback__)])
print(traceback.format_exc())
traceback.print_exception(kept, file=sys.stdout)
sys.__excepthook__(type(kept), kept, kept.__traceback__)
raise kept
