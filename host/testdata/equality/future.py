"""A docstring."""

from __future__ import annotations

import __future__


def f(x: undefined_name) -> also_undefined:
    pass


print(f.__annotations__, __doc__)
print(f.__code__.co_flags & __future__.annotations.compiler_flag != 0)
exec("def g(x: nothing): pass")
print(g.__annotations__)
