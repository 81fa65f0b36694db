async def f():
    try:
        await never()
    finally:
        print("closed")


class never:
    def __await__(self):
        yield 1


c = f()
print(c.send(None))
