# Opens its own process, by every name there is for it: the memory, the descriptors and
# the environment of the host.
#
# status: ok
# stdout: ""
import os

for root in ("", "/", "/app/", "/app/link_proc/", "/app/link_root/proc/self/", "/data/link_proc/", "/out/link_root/proc/self/", "/proc/self/", "/dev/", "/app/../proc/self/"):
    for name in ("mem", "environ", "maps", "cmdline", "fd/0", "fd/3", "root/etc/passwd", "cwd/go.mod", "exe", "stdin", "null", "zero"):
        for mode in ("rb", "r+b", "wb"):
            if root in ("", "/", "/app/") and mode == "wb":
                continue
            try:
                with open(root + name, mode) as f:
                    print(root + name, mode, f.read(16))
            except (OSError, ValueError):
                pass
