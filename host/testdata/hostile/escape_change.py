# Changes, moves and removes what is not its own. (chmod does nothing in WASI, and
# says so to nobody.)
#
# status: ok
# exit: 0
# stdout: "[]\n"
import os, shutil
open("/app/mine", "w").close()
os.mkdir("/app/dir")
found = []
def attempt(*call):
    function, *args = call
    try:
        function(*args)
    except (OSError, NotImplementedError, AttributeError):
        return
    found.append((function.__name__, *args))
theirs = ["/data/table.csv", "/data/sub", "/data", "/", "/app", "../outside/canary.txt", "/outside",
          "/data/link_relative", "/app/link_directory/canary.txt", "/out/link_directory/canary.txt"]
for name in theirs:
    attempt(os.remove, name)
    attempt(os.rmdir, name)
    attempt(os.rename, name, "/app/stolen")
    attempt(os.replace, name, "/out/stolen")
    attempt(os.rename, "/app/mine", name)
    attempt(os.rename, "/app/dir", name)
    attempt(os.truncate, name, 0)
    attempt(shutil.move, name, "/app/stolen")
    if name not in ("/app",):
        attempt(os.utime, name, (1, 1))
for name in ("/data/new", "/new", "../new", "/data/sub/new", "/outside/new", "/app/link_directory/new"):
    attempt(os.mkdir, name)
    attempt(os.makedirs, name)
    attempt(os.rename, "/app/mine", name)
    attempt(os.rename, "/app/dir", name)
for function in ("chown", "lchown", "chroot", "mknod", "mkfifo", "setxattr", "mount", "umask"):
    attempt(getattr(os, function, None) or (lambda *a: os.missing()), "/data/table.csv", 0o777)
fd = os.open("/data/table.csv", os.O_RDONLY)
attempt(os.write, fd, b"x")
attempt(os.ftruncate, fd, 0)
attempt(os.pwrite, fd, b"x", 0)
if hasattr(os, "posix_fallocate"):
    attempt(os.posix_fallocate, fd, 0, 100)
attempt(os.utime, fd, (1, 1))
attempt(os.fchmod, fd, 0o777) if hasattr(os, "fchmod") else None
print(found)
