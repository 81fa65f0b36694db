# Copies large memory with single instructions, thousands of times.
#
# status: out_of_fuel
# exit: 137
# fuel: 50_000_000
# memory: 64MiB
a = bytearray(4 << 20)
b = bytearray(4 << 20)
while True:
    a[:] = b
