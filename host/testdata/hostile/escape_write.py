# Writes outside of its mounts, and into the one that is read-only, through every
# flag that writes, truncates or creates.
#
# status: ok
# exit: 0
# stdout: "[]\n"
# created: /app/mine
import os
open("/app/mine", "w").close()
targets = ["../outside/canary.txt", "/outside/new", "/new", "/data/table.csv", "/data/new", "/data/sub/new",
           "/data/../outside/canary.txt", "/", "/data", "/app"]
for top in ("/app/", "/data/", "/out/"):
    targets += [top + l for l in ("link_relative", "link_absolute", "link_directory/canary.txt",
                                  "link_directory/new", "link_root/tmp/new", "link_proc/mem", "fifo", "zero",
                                  "link_loop")]
flags = [os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_TRUNC, os.O_RDONLY | os.O_CREAT,
         os.O_RDONLY | os.O_CREAT | os.O_EXCL, os.O_WRONLY | os.O_APPEND, os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
         os.O_RDONLY | os.O_APPEND | os.O_TRUNC]
found = []
for target in targets:
    for flag in flags:
        try:
            fd = os.open(target, flag, 0o777)
        except OSError:
            continue
        found.append((target, flag))
        os.close(fd)
print(found)
