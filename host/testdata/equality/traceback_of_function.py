import traceback


def f():
    g()


def g():
    traceback.print_stack(limit=2)
    print([s.name for s in traceback.extract_stack(limit=2)])


f()
