# Reads one byte into each of a thousand buffers with one call, again and again.
#
# status: out_of_fuel
# exit: 137
# fuel: 400_000_000
import os

with open("/app/f", "wb") as f:
    f.write(bytes(1000))
fd = os.open("/app/f", os.O_RDONLY)
buffers = [bytearray(1) for _ in range(1000)]
read = getattr(os, "preadv", None)
while True:
    if read:
        read(fd, buffers, 0)
    else:
        os.pread(fd, 1, 0)
