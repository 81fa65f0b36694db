import re

print(re.match(r"(?:a|b)*$", "ab" * 20_000) is not None)
try:
    re.compile("(" * 5000 + ")" * 5000)
except (RecursionError, re.error) as e:
    print(type(e).__name__)
