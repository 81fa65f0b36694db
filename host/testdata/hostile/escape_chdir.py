# Walks up from where it is.
#
# status: ok
# exit: 0
# stdout: "/app/..\n['app', 'data', 'out']\n[]\n"
import os
os.chdir("..")
try:
    os.chdir("..")
except PermissionError:
    pass
print(os.getcwd())
print(sorted(os.listdir(".")))
found = []
for name in ("outside", "/outside", "/app/link_directory", "/app/link_root", "/data/link_root", "/proc/self/root",
             "/data/link_proc/cwd", "/app/fifo"):
    try:
        os.chdir(name)
    except OSError:
        continue
    found.append((name, os.listdir(".")))
print(found)
