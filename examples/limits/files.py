"""Make empty files until there may be no more of them."""

n = 0
while True:
    open(f"file-{n}", "x").close()
    n += 1
