def g(n):
    raise OSError(n, "text")


def collect():
    found = []
    for n in range(3):
        try:
            g(n)
        except OSError as e:
            found.append(e)
    found.append(ExceptionGroup("inner", [ValueError(1), TypeError("t")]))
    raise ExceptionGroup("several", found)


try:
    collect()
except* ValueError as e:
    raise KeyError("k") from e
