# Tries to leave the mounts with every file call that CPython has on WASI, and
# checks that ordinary file work is not disturbed. Prints "PASS" if all is well.
import errno, io, os, shutil, sys

failures = []


def refused(what, call):
    try:
        result = call()
    except (OSError, NotImplementedError, AttributeError):
        return
    failures.append(f"{what}: allowed, gave {result!r}")


def check(what, ok):
    if not ok:
        failures.append(what)


def slurp(path, mode="rb"):
    with open(path, mode) as f:
        return f.read()


# Escapes. The host planted /app/link, /app/abs, /data/link, /data/abs, /data/proc,
# each leading to a file outside; /app/pipe and /data/pipe are FIFOs.
for path in ("/app/link", "/app/abs", "/data/link", "/data/abs", "/data/proc/self/mem",
             "/app/linkdir/canary", "/data/linkdir/canary", "/app/pipe", "/data/pipe",
             "../outside/canary", "/app/../../outside/canary", "/data/../../outside/canary"):
    refused(f"read {path}", lambda: slurp(path))
    refused(f"write {path}", lambda: open(path, "w"))
    refused(f"append {path}", lambda: open(path, "a"))
    refused(f"truncate {path}", lambda: os.truncate(path, 0))
    refused(f"utime {path}", lambda: os.utime(path, (0, 0)))
for path in ("/app/linkdir", "/data/linkdir"):
    refused(f"list {path}", lambda: os.listdir(path))
    refused(f"mkdir {path}", lambda: os.mkdir(path + "/new"))
refused("symlink", lambda: os.symlink("../outside/canary", "/app/made"))
refused("symlink", lambda: os.symlink("main.py", "/app/made"))
refused("hard link", lambda: os.link("/data/ok.txt", "/app/hard"))
refused("hard link", lambda: os.link("/app/link", "/app/hard"))
refused("readlink", lambda: os.readlink("/app/link"))
refused("readlink of a host path", lambda: os.readlink("/data/abs"))
refused("rename a link", lambda: os.rename("/app/link", "/app/link2"))
refused("rename to outside", lambda: os.rename("/app/main.py", "/app/linkdir/x"))
for flags in (os.O_TRUNC, os.O_CREAT, os.O_APPEND, os.O_RDWR, os.O_WRONLY):
    refused(f"open read-only file with {flags:#x}", lambda: os.open("/data/ok.txt", os.O_RDONLY | flags))
    refused(f"open new read-only file with {flags:#x}", lambda: os.open("/data/new", os.O_RDONLY | flags))
refused("set times in a read-only mount", lambda: os.utime("/data/ok.txt", (0, 0)))
for call in (os.unlink, os.rmdir, os.mkdir, lambda p: os.rename(p, p + "x")):
    refused("change a read-only mount", lambda: call("/data/ok.txt"))
    refused("change a mount point", lambda: call("/app"))
    refused("change the root", lambda: call("/new"))

# Directory descriptors keep their meaning when the directory is renamed.
os.makedirs("/app/one/two")
fd = os.open("/app/one/two", os.O_RDONLY | os.O_DIRECTORY)
os.rename("/app/one", "/app/uno")
refused("open below a renamed descriptor", lambda: os.open("../../../outside/canary", os.O_RDONLY, dir_fd=fd))
os.close(fd)

# Ordinary work.
check("cwd listing", sorted(os.listdir("/")) == ["app", "data"])
check("read-only read", slurp("/data/ok.txt") == b"fine\n")
check("link inside a read-only mount", slurp("/data/inner") == b"fine\n")
with open("/app/out.txt", "w") as f:
    f.write("hello\n")
    check("tell", f.tell() == 6)
with open("/app/out.txt", "a") as f:
    f.write("more\n")
check("append", slurp("/app/out.txt") == b"hello\nmore\n")
with open("/app/out.txt", "r+b") as f:
    f.seek(-5, os.SEEK_END)
    f.write(b"MORE")
    f.truncate(10)
    os.fsync(f.fileno())
check("seek and truncate", slurp("/app/out.txt") == b"hello\nMORE")
os.utime("/app/out.txt", ns=(1_500_000_000, 2_500_000_000))
check("utime", os.stat("/app/out.txt").st_mtime_ns == 2_500_000_000)
check("lexists", os.path.lexists("/app/link") and os.path.islink("/app/link") and not os.path.exists("/app/link"))
os.unlink("/app/link")
check("unlink of a link", not os.path.lexists("/app/link"))
os.makedirs("/app/a/b/c")
for i in range(300):
    open(f"/app/a/b/{i:03}", "w").close()
check("listing", sorted(os.listdir("/app/a/b")) == [f"{i:03}" for i in range(300)] + ["c"])
check("walk", sum(len(files) for _, _, files in os.walk("/app/a")) == 300)
check("scandir", all(e.is_file() and e.inode() == os.stat(e.path).st_ino for e in os.scandir("/app/a/b") if e.name != "c"))
shutil.copytree("/app/a", "/app/copy")
os.replace("/app/out.txt", "/app/a/b/000")
check("replace", slurp("/app/a/b/000") == b"hello\nMORE")
shutil.rmtree("/app/a")
shutil.rmtree("/app/copy")
check("rmtree", not os.path.exists("/app/a"))
shutil.move("/app/uno", "/app/tres")
sys.path.insert(0, "/app")
open("/app/fresh.py", "w").write("value = 42\n")
import fresh
check("import of a module just written", fresh.value == 42)
try:
    os.stat("/app/none")
except FileNotFoundError as e:
    check("errno", e.errno == errno.ENOENT)

print("\n".join(failures) or "PASS")
