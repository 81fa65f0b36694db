import builtins

print(__builtins__ is builtins, sorted(k for k in vars() if k[0] == "_"))
print(list(vars()))
print(__doc__, __package__, __spec__, __annotations__, __cached__, __name__)
print(type(__loader__).__name__, __loader__.name, __loader__.path)
x: int = 1
print(__annotations__)
