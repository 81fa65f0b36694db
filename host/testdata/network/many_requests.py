# Asks 20 001 times.
#
# status: ok
# stdout: "20 19981\n"
import json, os

line = json.dumps({"method": "GET", "url": "http://AT/v1/json"}).encode() + b"\n"
made = refused = 0
for _ in range(20_001):
    fd = os.open("/.sandboxd/fetch", os.O_RDWR)
    os.write(fd, line)
    if b'"status":200' in os.read(fd, 1 << 16):
        made += 1
    else:
        refused += 1
    os.close(fd)
print(made, refused)
