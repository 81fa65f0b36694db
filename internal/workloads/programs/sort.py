"""Sorting: numbers, numbers by key, and tuples."""


def numbers(count):
    state = 42
    out = []
    for _ in range(count):
        state = (state * 48271) % 2147483647
        out.append(state)
    return out


def run(count):
    data = numbers(count)
    plain = sorted(data)
    keyed = sorted(data, key=lambda n: (n % 1009, -n))
    pairs = sorted((n % 257, n) for n in data)
    check = 0
    for a, b, (c, _) in zip(plain, keyed, pairs):
        check = (check * 33 + a + 3 * b + 5 * c) % 1_000_000_007
    return check


print("sort", run(13_000))
