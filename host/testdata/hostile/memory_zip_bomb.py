# Decompresses a kilobyte into a megabyte, again and again.
#
# status: out_of_memory
# exit: 137
# memory: 64MiB
import zlib
bomb = zlib.compress(bytes(1 << 20), 9)
kept = []
while True:
    kept.append(zlib.decompress(bomb))
