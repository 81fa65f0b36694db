# Opens as many files as it can, and keeps them.
#
# status: ok
# exit: 0
# stdout: "True\n"
import os
held = []
refused = 0
for i in range(10_000):
    try:
        held.append(os.open("/data/table.csv", os.O_RDONLY))
    except OSError:
        refused += 1
print(0 < len(held) <= 256 and len(held) + refused == 10_000)
