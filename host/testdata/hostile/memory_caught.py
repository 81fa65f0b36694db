# Reaches the limit, copes, and ends well: that is no failure.
#
# status: ok
# exit: 0
# memory: 48MiB
# stdout: "refused\n2\n"
try:
    a = bytearray(1 << 29)
except MemoryError:
    print("refused")
print(len([1, 2]))
