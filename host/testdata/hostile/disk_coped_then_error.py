# Reaches the quota, copes, and fails of something else.
#
# status: error
# exit: 1
# disk: 1MiB
# error: ZeroDivisionError
try:
    open("big", "wb").write(bytes(2 << 20))
except OSError:
    1 / 0
