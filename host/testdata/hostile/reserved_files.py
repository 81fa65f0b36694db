# Looks for the host's corner of the file system, and for its request.
#
# status: ok
# exit: 0
# stdout: "[]\n"
import os
found = []
def attempt(name, call):
    try:
        call()
    except OSError:
        return
    found.append(name)
attempt("list", lambda: os.listdir("/.sandboxd"))
attempt("write request", lambda: open("/.sandboxd/request", "wb"))
attempt("append guest", lambda: open("/.sandboxd/guest.py", "ab"))
attempt("truncate", lambda: os.open("/.sandboxd/guest.py", os.O_TRUNC))
attempt("create", lambda: open("/.sandboxd/new", "w"))
attempt("checkpoint", lambda: os.open("/.sandboxd/checkpoint", os.O_WRONLY))
attempt("warm up", lambda: os.open("/.sandboxd/warm_up.py", os.O_RDONLY))
attempt("remove", lambda: os.remove("/.sandboxd/request"))
attempt("rename", lambda: os.rename("/.sandboxd/request", "/app/request"))
attempt("rename onto", lambda: os.rename("/app/x", "/.sandboxd/request"))
attempt("mkdir", lambda: os.mkdir("/.sandboxd/d"))
attempt("rmdir", lambda: os.rmdir("/.sandboxd"))
attempt("read report", lambda: open("/.sandboxd/report").read())
attempt("dot dot", lambda: open("/app/../.sandboxd/sub/../new", "w"))
if ".sandboxd" in os.listdir("/"):
    found.append("listing")
print(found)
