# Asks for a gigabyte at once.
#
# status: out_of_memory
# exit: 137
a = [0] * (1 << 28)
