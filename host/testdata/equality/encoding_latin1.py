# -*- coding: latin-1 -*-
# differs 3.12: Python does not find the lines of a source that is not UTF-8
name = 'éÿ'
print(name, ascii(name))


def f():
    return 'é' / 1


f()
