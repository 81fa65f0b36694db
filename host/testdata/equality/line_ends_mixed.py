text = '''a
bc
'''
print(repr(text))
x = 1 

def f():
    1/0  # no newline at the end
f()