import os
import tempfile

os.chdir("/app")
print(tempfile.gettempdir())
with tempfile.TemporaryFile("w+") as f:
    f.write("text")
    f.seek(0)
    print(f.read())
with tempfile.TemporaryDirectory() as d:
    open(os.path.join(d, "x"), "w").close()
    print(os.listdir(d))
with tempfile.NamedTemporaryFile(suffix=".txt") as f:
    print(os.path.dirname(f.name), os.path.exists(f.name))
print(os.path.exists(d))
