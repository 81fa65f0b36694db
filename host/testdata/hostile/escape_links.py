# Makes links, of both kinds, to everywhere.
#
# status: ok
# exit: 0
# stdout: "[] []\n"
import os
open("/app/mine", "w").close()
found, left = [], []
before = sorted(os.listdir("/app"))
targets = ["../outside/canary.txt", "/outside/canary.txt", "/proc/self/mem", "mine", "/app/mine", ".", "..", "/",
           "nothing", "/data/table.csv", "", "a" * 5000, "/data/../../outside"]
for target in targets:
    for name in ("/app/l", "/out/l", "/data/l", "l", "/l"):
        for function in (os.symlink, os.link):
            try:
                function(target, name)
            except (OSError, ValueError):
                continue
            found.append((function.__name__, target, name))
for name in ("link_relative", "link_absolute", "link_root", "link_proc", "link_loop"):
    for top in ("/app/", "/data/", "/out/"):
        try:
            target = os.readlink(top + name)
        except OSError:
            continue
        if target != "link_loop":
            found.append(("readlink", top + name, target))
        try:
            found.append(("realpath", os.path.realpath(top + name, strict=True)))
        except OSError:
            pass
left = [n for n in os.listdir("/app") if n not in before]
print(found, left)
