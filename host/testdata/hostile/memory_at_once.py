# Asks for more than there can be, at once.
#
# status: out_of_memory
# exit: 137
# memory: 48MiB
a = [0] * (1 << 28)
