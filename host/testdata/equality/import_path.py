import sys

# Packages are looked for behind everything else, where a call has them or not.
print([place for place in sys.path if place != "/packages"])
sys.path.insert(0, "/app/sub")
import os

os.mkdir("/app/sub")
with open("/app/sub/inner.py", "w") as f:
    f.write("z = 1\n")
import inner

print(inner.z, inner.__file__)
