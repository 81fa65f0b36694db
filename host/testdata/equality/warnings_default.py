import warnings

for i in range(3):
    warnings.warn("shown once")
warnings.warn("deprecated", DeprecationWarning)
warnings.warn("not shown", ImportWarning)


def f():
    warnings.warn("from the caller", stacklevel=2)


f()
f()
print(len(warnings.filters), "__warningregistry__" in globals())
