# Moves and removes the links that somebody left behind. Removing is harmless;
# moving would make them mean something else.
#
# status: ok
# exit: 0
# stdout: "[]\n"
import os
found = []
os.mkdir("/app/deep")
for name in ("link_relative", "link_directory", "link_root", "link_proc"):
    for to in ("/app/deep/" + name, "/app/other", "/out/" + name + "2"):
        try:
            os.rename("/app/" + name, to)
        except OSError:
            continue
        found.append((name, to))
for name in ("link_relative", "link_directory", "link_root", "link_proc"):
    os.remove("/app/" + name)
open("/app/link_relative", "w").write("now a file")
print(found)
