# Doubles one object until it does not fit.
#
# status: out_of_memory
# exit: 137
# memory: 48MiB
a = bytearray(1)
while True:
    a = a + a
