# Reads objects from garbage.
#
# status: ok
# exit: 0
# stdout: "survived\n"
import marshal, random
random.seed(1)
good = marshal.dumps(compile("def f(x):\n    return [x, {1: 'a'}]\nf(2)", "x", "exec"))
for i in range(2000):
    data = bytearray(good)
    for _ in range(3):
        data[random.randrange(len(data))] = random.randrange(256)
    try:
        marshal.loads(bytes(data))
    except (ValueError, EOFError, TypeError, MemoryError, SystemError, RecursionError, OverflowError):
        pass
print("survived")
