"""Write megabytes to one file until the disk quota is used up."""

block = b"x" * (1 << 20)
with open("big.bin", "wb") as file:
    while True:
        file.write(block)
