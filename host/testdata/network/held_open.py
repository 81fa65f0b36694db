# Begins as many requests as it can and finishes none, to fill the host's memory.
#
# status: ok
# stdout: "ok\n"
import json, os

held = []
body = b"x" * (1 << 20)
try:
    while True:
        fd = os.open("/.sandboxd/fetch", os.O_RDWR)
        held.append(fd)
        os.write(fd, json.dumps({"method": "POST", "url": "http://AT/v1/echo", "body": len(body)}).encode() + b"\n")
        os.write(fd, body[:-1])
except OSError:
    pass
os.write(held[-1], b"x")
answer = os.read(held[-1], 1 << 16)
assert b'"error":"limit"' in answer, answer
print("ok")
