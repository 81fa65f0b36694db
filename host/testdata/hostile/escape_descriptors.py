# Uses descriptors it was never given, and directories as starting points.
#
# status: ok
# exit: 0
# stdout: "[]\n"
import os
found = []
def attempt(name, call):
    try:
        result = call()
    except (OSError, NotImplementedError, ValueError, AttributeError, TypeError, OverflowError):
        return
    found.append((name, result))
for fd in list(range(4, 200)) + [10**4, 2**31 - 1, -1, -100]:
    attempt(("read", fd), lambda: os.read(fd, 10))
    # Descriptor 4 is inside the module: where its library is packed.
    attempt(("fstat", fd), lambda: fd == 4 and os.read(fd, 0) or os.fstat(fd))
    attempt(("write", fd), lambda: os.write(fd, b"x"))
    attempt(("listdir", fd), lambda: os.listdir(fd))
attempt("root write", lambda: os.write(3, b"x"))
attempt("root read", lambda: os.read(3, 10))
root = os.open("/", os.O_RDONLY)
app = os.open("/app", os.O_RDONLY)
data = os.open("/data", os.O_RDONLY)
for base in (root, app, data, 3):
    for name in ("../outside/canary.txt", "link_relative", "link_directory/canary.txt", "link_root/etc/passwd",
                 "/etc/passwd", "/outside/canary.txt", "../../../../etc/passwd", "..", "fifo", "zero"):
        attempt(("open", base, name), lambda: os.open(name, os.O_RDONLY, dir_fd=base) and name != "..")
        attempt(("mkdir", base, name), lambda: os.mkdir(name, dir_fd=base))
        attempt(("readlink", base, name), lambda: os.readlink(name, dir_fd=base))
        attempt(("symlink", base, name), lambda: os.symlink("../outside", "l", dir_fd=base))
        attempt(("link", base, name), lambda: os.link(name, "l", src_dir_fd=base, dst_dir_fd=app))
        attempt(("rename", base, name), lambda: os.rename(name, "stolen", src_dir_fd=base, dst_dir_fd=app))
found = [f for f in found if f[0] != ("open", app, "..") and f[1] is not False]
print(found)
