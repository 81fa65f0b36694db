# Reads the host's traces from what is known of files: owner, device, inode.
#
# status: ok
# exit: 0
# stdout: "set()\n"
import os
strange = set()
for name in ("/", "/app", "/data", "/data/table.csv", "/data/sub", "/out"):
    for s in (os.stat(name), os.lstat(name)):
        if s.st_uid or s.st_gid:
            strange.add((name, "owner"))
        if s.st_dev:
            strange.add((name, "device"))
        if s.st_nlink != 1:
            strange.add((name, "links", s.st_nlink))
    again = os.stat(name).st_ino
    if again != os.stat(name).st_ino or again < 2**33 and again != 1:
        strange.add((name, "inode", again))
print(strange)
