"""Keep every megabyte. Past the limit the program gets an ordinary MemoryError."""

hoard = []
while True:
    hoard.append(bytearray(1 << 20))
