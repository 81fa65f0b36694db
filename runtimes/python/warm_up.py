"""Bring an interpreter to the point from which every call starts.

Run once, when the runtime is prepared. What is imported and exercised here is in
the image, so a call gets it for nothing; what is left out is paid for by every
call that needs it. The host captures memory when this has ended.
"""

import asyncio
import atexit
import gc
import importlib
import io
import json
import linecache
import marshal
import os
import posix
import selectors
import sys
import time
import types
import zipimport
import zoneinfo

# What programs import most, and what would take them a large part of a strict
# budget to import: asyncio takes several hundred million instructions. See
# docs/capabilities-python.md for what was left out and what it costs. Memory is the
# price: this library takes about 100 pages of 64 KiB.
LIBRARY = """
    _strptime abc argparse ast asyncio base64 binascii bisect bz2 calendar codecs
    collections collections.abc concurrent.futures configparser contextlib contextvars
    copy csv dataclasses datetime decimal difflib enum errno fnmatch fractions
    functools gc glob gzip hashlib heapq hmac html.parser importlib.util inspect io
    itertools json keyword linecache locale logging math mimetypes numbers operator os
    os.path pathlib pickle platform pprint queue random re reprlib secrets select
    shlex shutil signal stat statistics string struct subprocess tempfile textwrap
    threading time timeit tokenize traceback types typing unicodedata unittest
    urllib.parse uuid warnings weakref xml.etree.ElementTree zipfile zlib zoneinfo
""".split()

# A program that takes the ways most programs take: it is run a few times, so
# that the compiler, the formatting of output and errors, and the specialising
# interpreter have been through them.
REHEARSAL = '''
import sys, os, json, re, math, random, datetime, collections, functools, io
from dataclasses import dataclass, field

@dataclass
class Point:
    x: int = 0
    y: float = 1.5
    tags: list = field(default_factory=list)

class Shape:
    """A class."""
    def __init__(self, *points, **named):
        self.points, self.named = list(points), named
    def __repr__(self):
        return f"Shape({len(self.points)!r}, {self.named})"
    @property
    def size(self):
        return sum(p.x * p.y for p in self.points)

def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

def numbers(n):
    for i in range(n):
        if i % 3 == 0:
            continue
        yield i

shapes = [Shape(Point(i, i / 2), kind="k%d" % i) for i in range(3)]
table = {s.named["kind"]: round(s.size, 2) for s in shapes}
counts = collections.Counter("the quick brown fox".split())
print("hi", shapes[0], table, fibonacci(5), sorted(numbers(9), reverse=True))
print(json.dumps({"a": [1, 2.5, None, True], "b": table}, indent=2), counts.most_common(2))
print(collections.Counter("letters").most_common(1), random.choice([1, 2]))
print(re.findall(r"(\\w+)-(\\d+)", "a-1 b-22"), f"{math.pi:.3f} {1234567:,} {'x':>5}|")
datetime.datetime.strptime("2024-02-29 12:30:00", "%Y-%m-%d %H:%M:%S")
datetime.datetime.strptime("2024-02-29", "%Y-%m-%d")
print(datetime.date(2024, 2, 29) + datetime.timedelta(days=1), random.random() < 1)
with open("rehearsal.txt", "w", encoding="utf-8") as file:
    file.write("one\\ntwo\\n")
with open("rehearsal.txt") as file:
    print([line.strip() for line in file], os.listdir("."))
os.remove("rehearsal.txt")
try:
    {}["missing"]
except KeyError as error:
    print("caught", error, file=sys.stderr)
while shapes:
    shapes.pop()
text = io.TextIOWrapper(io.BytesIO(b"1 2\\n3"), encoding="utf-8")
print(text.readline(), list(text), end="\\n")
'''
FAILING = "def f(n):\n    return 1 / n\n\nf(0)\n"
BROKEN = "print('unclosed\n"


def main():
    """Make an interpreter ready; return how to come back in, and what ends this."""
    os.chdir("/app")
    sys.path.insert(0, "/app")
    for name in LIBRARY:
        importlib.import_module(name)
    # What the library wants done at exit, guest.py does itself.
    if atexit._ncallbacks() != 1:
        raise RuntimeError("a module other than logging registered with atexit")
    # Output appears when a line is complete, not when the program ends.
    sys.stdout.reconfigure(line_buffering=True)
    mend_asyncio()
    mend_zoneinfo()
    mend_zipimport()
    guest = load_guest()
    for name in guest.add_library():
        importlib.import_module(name)
    guest.watch(sys.modules["random"])
    for _ in range(4):
        for program in (REHEARSAL, FAILING, BROKEN, "print('hi')\n", ""):
            guest.run("rehearsal.py", [""], {b"LANG": b"C"}, program.encode())
        guest.run("rehearsal.py", [""], {b"LANG": b"C"}, b"x = 1\n{'a': [x]}", wants=1)
    end = guest.at_end(time.time)
    clean_up()
    preload(guest)
    settle()
    tell(guest)
    return guest.start, end


def mend_asyncio():
    """Let event loops run where there are no sockets to wake them up with."""

    class Selector(selectors._BaseSelectorImpl):
        """Waits for the time to pass: nothing else can happen here."""

        def select(self, timeout=None):
            if timeout is None:
                raise RuntimeError("every task waits, and nothing is left that could wake one")
            if timeout > 0:
                time.sleep(timeout)
            return []

    class EventLoop(asyncio.SelectorEventLoop):
        def __init__(self):
            super().__init__(Selector())

        def _make_self_pipe(self):
            self._ssock = self._csock = None

        def _close_self_pipe(self):
            pass

    asyncio.DefaultEventLoopPolicy._loop_factory = EventLoop


def mend_zoneinfo():
    """Read the time zones straight from the library, if they are in it.

    The way through importlib.resources opens the archive anew for each zone, which
    takes 100 million instructions.
    """
    try:
        import tzdata
    except ModuleNotFoundError:
        return
    root = tzdata.__path__[0] + "/zoneinfo/"
    read = tzdata.__loader__.get_data

    def load_tzdata(key):
        try:
            return io.BytesIO(read(root + key))
        except OSError:
            raise zoneinfo.ZoneInfoNotFoundError(f"No time zone found with key {key}") from None

    zoneinfo._common.load_tzdata = load_tzdata


def mend_zipimport():
    """Read each module of the library once, and not twice.

    The interpreter's own importer reads and decodes a module to tell where it is, and
    again to run it.
    """
    read = zipimport._get_module_code
    last = None

    def get_module_code(importer, fullname):
        nonlocal last
        asked = importer.archive, importer.prefix, fullname
        if last is not None and last[0] == asked:
            code, last = last[1], None
            return code
        code = read(importer, fullname)
        last = asked, code
        return code

    zipimport._get_module_code = get_module_code


def load_guest():
    """Make the module that runs programs, from the file the host shows."""
    path = "/.sandboxd/guest.py"
    guest = types.ModuleType("_sandboxd")
    with open(path, "rb") as file:
        exec(compile(file.read(), path, "exec"), guest.__dict__)
    return guest


def clean_up():
    """Leave nothing of the rehearsal behind."""
    # What most profiles declare: then there is nothing to change.
    os.environ.clear()
    os.environ["LANG"] = "C.UTF-8"
    sys.orig_argv = ["python"]
    for name in ("last_exc", "last_type", "last_value", "last_traceback"):
        delattr(sys, name)
    sys.path.append("/packages")  # a mount that a call has or has not


def preload(guest):
    """Import the modules that the host lists, for all programs to find.

    They are strangers' code. It runs here with what a program has and no more, and
    what it does to this interpreter stays in the image. After the rehearsal, which
    would run what they register with atexit.

    The host is told of each module when its import begins and when it has ended,
    and refuses what must not be in an image: see host/preload.go.
    """
    with open("/.sandboxd/preload", "rb") as file:
        names = marshal.load(file)
    if not names:
        return
    descriptor = posix.open("/.sandboxd/preloading", posix.O_WRONLY)

    def say(**message):
        posix.write(descriptor, json.dumps(message).encode())

    sys.modules["__main__"] = types.ModuleType("__main__")
    # What a module draws from the generator that all share, it draws from one that the
    # image was made with: the numbers are the same in every program.
    state = sys.modules["random"].getstate
    for name in names:
        say(module=name)
        seeds, drawn = guest._seeds, state()
        try:
            importlib.import_module(name)
        except BaseException as error:
            say(module=name, error=type(error).__qualname__, message=str(error)[:1000])
            raise
        gc.collect()
        say(module=name, seeds=guest._seeds - seeds, rolled=state() != drawn)
    sys.modules.pop("__main__", None)
    posix.close(descriptor)
    guest._forget_packages()  # what was read to find modules, which would only take memory


def settle():
    """Leave caches as they are at the beginning of a program."""
    remember_missing_sources()
    sys.modules["re"].purge()
    importlib.invalidate_caches()
    sys.path_importer_cache.clear()
    sys.modules["_sandbox_packages"].forget()  # each call has its own
    gc.collect()
    gc.freeze()


def remember_missing_sources():
    """Spare tracebacks the search for the library's source text, which is not here.

    It would take millions of instructions for each frame.
    """
    linecache.clearcache()
    for item in gc.get_objects():
        if isinstance(item, types.FunctionType):
            name = item.__code__.co_filename
            if name[:1] not in ("<", "") and not name.startswith(("/.sandboxd/", "/packages/")):
                linecache.cache[name] = (0, None, [], name)


def tell(guest):
    """Tell the host where to come back in.

    The host fills the states of generators without a seed with randomness when it
    restores the image, so that no two instances draw the same numbers: seeding in
    the guest would cost every call more than most programs take. They are random's
    own, and those that preloaded packages made.
    """
    sys.modules["random"].seed()
    # Times of files that the warm-up saw are left in memory that is free again: numbers
    # that are always the same take their place, so that the image is the same each time.
    _ = [float(n) for n in range(1000)]
    del _
    addresses = b'{"function":%d,"empty":%d,"random":[%b]}' % (
        id(guest.start), id(()), ",".join(guest.unseeded()).encode()
    )
    descriptor = posix.open("/.sandboxd/checkpoint", posix.O_WRONLY)
    posix.write(descriptor, addresses)
    posix.close(descriptor)


# A module with entries of its own looks for this one. For one without, asking for
# the time when this script has ended is the checkpoint: with the script ended the
# last Python frame, so that a program in a restored image finds an empty stack.
entry, __file__ = main()
