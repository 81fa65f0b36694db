# Makes files that look huge, by each way there is.
#
# status: ok
# exit: 0
# disk: 1MiB
# stdout: "refused refused refused refused refused True\n"
import os
def attempt(call):
    try:
        call()
    except OSError:
        return "refused"
    return "made"
def seek():
    with open("a", "wb") as f:
        f.seek(1 << 40)
        f.write(b"x")
def truncate():
    with open("b", "wb") as f:
        f.truncate(1 << 50)
def allocate():
    with open("c", "wb") as f:
        if not hasattr(os, "posix_fallocate"):
            raise OSError("this build has no such function")
        os.posix_fallocate(f.fileno(), 0, 1 << 40)
def pwrite():
    with open("d", "wb") as f:
        os.pwrite(f.fileno(), b"x", 1 << 50)
def path():
    open("e", "wb").close()
    os.truncate("e", 1 << 40)
print(attempt(seek), attempt(truncate), attempt(allocate), attempt(pwrite), attempt(path),
      sum(os.stat(n).st_size for n in "abcde") <= 1 << 20)
