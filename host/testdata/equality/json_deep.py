import json

nested = []
for _ in range(100_000):
    nested = [nested]
for attempt in (lambda: json.dumps(nested), lambda: json.loads("[" * 100_000), lambda: repr(nested), lambda: eval("-" * 5000 + "1")):
    try:
        attempt()
    except (RecursionError, MemoryError, ValueError) as e:
        print(type(e).__name__)
