a, b = [], []
for _ in range(20_000):
    a, b = [a], [b]
for attempt in (lambda: a == b, lambda: hash(((),) * 3), lambda: str(a)):
    try:
        print(attempt())
    except RecursionError as e:
        print(e)
