# Reaches for native code.
#
# status: ok
# exit: 0
# stdout: "[]\n"
import importlib.machinery, sys
done = []
def attempt(name, call):
    try:
        call()
    except (OSError, AttributeError, ImportError, NotImplementedError):
        return
    done.append(name)
open("evil.so", "wb").write(b"\x7fELF" + bytes(1000))
attempt("ctypes", lambda: __import__("ctypes").CDLL(None))
attempt("_ctypes", lambda: __import__("_ctypes").dlopen("evil.so", 0))
attempt("mmap", lambda: __import__("mmap").mmap(-1, 4096, prot=7))
attempt("extension", lambda: importlib.machinery.ExtensionFileLoader("evil", "/app/evil.so").create_module(
    importlib.machinery.ModuleSpec("evil", None, origin="/app/evil.so")))
attempt("resource", lambda: __import__("resource").setrlimit(0, (0, 0)))
attempt("fcntl", lambda: __import__("fcntl").ioctl(0, 0x5401))
attempt("pty", lambda: __import__("pty").openpty())
attempt("sandboxd", lambda: __import__("sandboxd").refuel(-1))
print(done)
