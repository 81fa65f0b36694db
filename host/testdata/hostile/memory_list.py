# Grows a list until there is no memory.
#
# status: out_of_memory
# exit: 137
# memory: 48MiB
# error: out_of_memory
a = []
while True:
    a.append(" " * 100_000 + str(len(a)))
