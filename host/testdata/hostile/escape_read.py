# Reads what lies outside of its mounts, by every way of writing a path and by
# every link that somebody left behind.
#
# status: ok
# exit: 0
# stdout: "[]\n"
import os
names = [
    "../outside/canary.txt", "/outside/canary.txt", "/app/../outside/canary.txt",
    "/../outside/canary.txt", "/app/../../outside/canary.txt", "./../outside/canary.txt",
    "/app/./.././outside/canary.txt", "//outside//canary.txt", "/app//..//..//outside/canary.txt",
    "/data/../outside/canary.txt", "/data/sub/../../outside/canary.txt",
    "/etc/passwd", "/proc/self/mem", "/proc/self/environ", "/proc/self/maps", "/proc/1/environ",
    "/dev/zero", "/dev/null", "/dev/mem", "/sys/kernel", "/root", "/home", "/tmp", "/var",
    "C:\\windows", "file:///etc/passwd", "~/.ssh/id_rsa", "/dev/fd/0", "/dev/stdin",
]
links = ["link_relative", "link_absolute", "link_directory/canary.txt", "link_root/etc/passwd",
         "link_proc/environ", "link_proc/mem", "link_proc/root/etc/passwd", "link_loop", "fifo", "zero",
         "link_directory/../outside/canary.txt", "link_proc/cwd/main.go", "link_proc/fd/0"]
for top in ("/app/", "/data/", "/out/"):
    names += [top + l for l in links]
found = []
def attempt(call, name):
    try:
        call(name)
    except (OSError, ValueError):
        return
    found.append(name)
for name in names:
    attempt(lambda n: open(n, "rb").read(100), name)
    attempt(lambda n: os.open(n, os.O_RDONLY), name)
    attempt(lambda n: os.open(n, os.O_RDWR), name)
    attempt(os.listdir, name)
    attempt(os.scandir, name)
print(found)
