def g():
    try:
        yield 1
    finally:
        print("finally at the end")


def h():
    with open("/app/data.txt") as f:
        yield f.readline()


it = g()
print(next(it))
other = h()
print(next(other))
