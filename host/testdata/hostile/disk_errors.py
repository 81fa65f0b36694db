# Reaches every limit on files and reads the numbers of the errors, which must be
# those that programs look for, and not tell more.
#
# status: ok
# exit: 0
# disk: 1MiB
# files: 50
# stdout: "EDQUOT EDQUOT EDQUOT EMFILE ENAMETOOLONG ENOENT EROFS\n"
import errno, os
def attempt(call):
    try:
        call()
    except OSError as error:
        return errno.errorcode.get(error.errno, error.errno)
    return "nothing"
def fill():
    with open("big", "wb", buffering=0) as file:
        while True:
            file.write(bytes(65536))
def stretch():
    with open("long", "wb") as file:
        file.truncate(1 << 40)
def litter():
    for n in range(100):
        open("f%d" % n, "w").close()
def hold():
    held = []
    while True:
        held.append(open("big", "rb"))
print(attempt(fill), attempt(stretch), attempt(litter), attempt(hold),
      attempt(lambda: open("x" * 300, "w")), attempt(lambda: open("none")),
      attempt(lambda: open("/new", "w")))
