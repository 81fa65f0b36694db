import linecache


class A:
    """Documented."""

    def method(self):
        return 1


import inspect

print(inspect.getsource(A), inspect.getsourcelines(A.method)[1], inspect.getdoc(A))
print(linecache.getline(__file__, 1))
