import sys

print(sys.path)
sys.path.insert(0, "/app/sub")
import os

os.mkdir("/app/sub")
with open("/app/sub/inner.py", "w") as f:
    f.write("z = 1\n")
import inner

print(inner.z, inner.__file__)
