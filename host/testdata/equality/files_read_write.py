import glob
import os
import pathlib

with open("/app/data.txt", encoding="utf-8") as f:
    print(f.readlines())
path = pathlib.Path("/app/out/é.txt")
path.parent.mkdir()
path.write_text("text\n")
print(path.read_bytes(), glob.glob("/app/out/*"), path.stat().st_size)
with open(path, "ab+") as f:
    f.write(b"more")
    f.seek(0)
    print(f.read())
os.remove(path)
os.rmdir(path.parent)
print(path.exists(), os.path.exists("/app/data.txt"))
