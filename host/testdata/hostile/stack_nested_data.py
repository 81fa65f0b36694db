# Nests data so deeply that freeing or comparing it takes a deep stack.
#
# status: error
# exit: 1
# error: RecursionError
a, b = [], []
for _ in range(100_000):
    a, b = [a], [b]
a == b
