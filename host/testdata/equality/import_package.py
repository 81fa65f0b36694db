import os
import sys

os.mkdir("/app/pkg")
with open("/app/pkg/__init__.py", "w") as f:
    f.write("from . import part\nname = __name__\n")
with open("/app/pkg/part.py", "w") as f:
    f.write("import sys\nprint('part', __name__, __package__)\n")
import pkg
import pkg.part as part

print(pkg.name, part.__file__, "pkg.part" in sys.modules)
import importlib

importlib.reload(part)
