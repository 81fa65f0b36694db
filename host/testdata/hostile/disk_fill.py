# Writes until the disk is full.
#
# status: disk_quota
# exit: 137
# disk: 1MiB
# error: disk_quota
with open("big", "wb") as f:
    while True:
        f.write(bytes(100_000))
