import builtins


def broken(*args, **kwargs):
    raise RuntimeError("broken")


for name in ("isinstance", "len", "getattr", "type", "list"):
    setattr(builtins, name, broken)
