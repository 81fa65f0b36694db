# Walks the whole tree it can see, following links, in search of the host.
#
# status: ok
# exit: 0
# stdout: "['/data/sub/inner.txt', '/data/table.csv']\n"
import os
read = []
for base, dirs, files in os.walk("/", followlinks=True):
    for name in files:
        path = os.path.join(base, name)
        try:
            with open(path, "rb") as f:
                print(f.read(1000)) if "link" in name else f.read(1000)
        except OSError:
            continue
        read.append(path)
print(sorted(p for p in read if not p.startswith("/usr/")))
