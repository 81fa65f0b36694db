import re

print(re.match("\d+", "12"), 1 is 1)
assert (1, "always true")
