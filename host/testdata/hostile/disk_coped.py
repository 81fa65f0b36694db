# Reaches the quota, copes, and ends well.
#
# status: ok
# exit: 0
# disk: 1MiB
# stdout: "full\n"
try:
    open("big", "wb").write(bytes(2 << 20))
except OSError:
    print("full")
