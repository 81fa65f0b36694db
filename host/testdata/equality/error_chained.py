def load(x):
    try:
        return {}[x]
    except KeyError as e:
        raise ValueError("no such thing") from e


def use():
    try:
        load("k")
    except ValueError:
        undefined


try:
    use()
except NameError:
    raise RuntimeError("on top") from None
