# Writes what is no request, in every way it can think of.
#
# status: ok
# stdout: "ok\n"
import json, os, random

FILE = "/.sandboxd/fetch"
random.seed(1)

def say(data, pieces=1 << 16):
    fd = os.open(FILE, os.O_RDWR)
    try:
        for i in range(0, len(data), pieces):
            os.write(fd, data[i:i + pieces])
        answer = b""
        while chunk := os.read(fd, 1 << 16):
            answer += chunk
        return json.loads(answer.partition(b"\n")[0])
    finally:
        os.close(fd)

good = json.dumps({"method": "GET", "url": "http://AT/v1/json"}).encode() + b"\n"
assert "error" not in say(good, 1), say(good, 1)
for junk in (b"", b"\n", b"\x00" * 100, b"[" * 50_000, b"x" * 70_000, b"{}\n", b"null\n", good + b"more", good + good,
             b'{"body":99999999999999999999}\n', b'{"body":-1}\n', b'{"timeout":-1,"redirects":1e9}\n', b'{"headers":{"a":1}}\n'):
    assert "error" in say(junk), junk
for _ in range(300):
    junk = bytearray(good)
    for _ in range(random.randrange(1, 4)):
        junk[random.randrange(len(junk))] = random.randrange(256)
    say(bytes(junk))
for flags in (os.O_RDONLY, os.O_WRONLY):
    try:
        os.open(FILE, flags)
    except OSError:
        continue
    print("opened", flags)
fd = os.open(FILE, os.O_RDWR)
for attempt in (lambda: os.lseek(fd, 0, 0), lambda: os.pread(fd, 1, 0), lambda: os.pwrite(fd, b"x", 5), lambda: os.ftruncate(fd, 5),
                lambda: os.remove(FILE), lambda: os.rename(FILE, "/app/x"), lambda: os.mkdir(FILE + "/x")):
    try:
        attempt()
    except OSError:
        continue
    print("did", attempt)
os.read(fd, 10)
try:
    os.write(fd, good)
    print("wrote after the answer")
except OSError:
    print("ok")
