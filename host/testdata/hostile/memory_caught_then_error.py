# Reaches the limit, copes, and fails of something else.
#
# status: error
# exit: 1
# memory: 48MiB
# error: KeyError
try:
    a = bytearray(1 << 29)
except MemoryError:
    pass
{}["missing"]
