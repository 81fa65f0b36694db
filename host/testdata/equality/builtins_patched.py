import builtins

builtins.print = lambda *a, original=print: original("patched", *a)
builtins.answer = 42
print(answer, len([1]))
len = lambda x: 99
print(len([]))
del builtins.answer
try:
    answer
except NameError as e:
    print(e)
