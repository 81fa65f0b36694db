def f():
    x = 1
    yield x
    global x
