"""Bring an interpreter to the point from which every call starts.

Run once, when the runtime is prepared. What is imported and exercised here is in
the image, so a call gets it for nothing; what is left out is paid for by every
call that needs it. The last call is the checkpoint: the host captures memory
inside it and never returns from it.
"""

import gc
import os
import posix
import sys
import time
import types


def load_guest():
    """Make the module that runs programs, from the file the host shows."""
    path = "/.sandboxd/guest.py"
    guest = types.ModuleType("_sandboxd")
    with open(path, "rb") as file:
        exec(compile(file.read(), path, "exec"), guest.__dict__)
    return guest


def main():
    os.chdir("/app")
    guest = load_guest()
    gc.collect()
    gc.freeze()
    checkpoint(guest.resume)


def checkpoint(entry):
    """Tell the host where to come back in, and be captured."""
    addresses = b'{"function":%d,"empty":%d}' % (id(entry), id(()))
    descriptor = posix.open("/.sandboxd/checkpoint", posix.O_WRONLY)
    posix.write(descriptor, addresses)
    posix.close(descriptor)
    time.time()


main()
