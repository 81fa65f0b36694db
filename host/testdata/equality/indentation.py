# differs 3.12: the compiler points at all of the text that is wrong
def f():
    if True:
    return 1
