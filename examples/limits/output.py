"""Write ten times what the strict profile keeps of standard output."""

for _ in range(1000):
    print("spam " * 200)
