# Reports megabytes of nonsense, nested deeply, again and again.
#
# status: error
# exit: 1
# stderr has: "ValueError: real"
import os
f = os.open("/.sandboxd/report", os.O_WRONLY)
for _ in range(50):
    os.write(f, b'{"type":' * 20_000 + b"[" * 20_000)
os.close(f)
raise ValueError("real")
