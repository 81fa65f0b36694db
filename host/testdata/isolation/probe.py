"""Describe an interpreter down to its addresses: one line for each part of it.

Two instances of one image that ran nothing else print the same, and take the
same fuel for it. Left out is what must differ: time and randomness.
"""

import _imp, atexit, codecs, contextvars, decimal, gc, hashlib, linecache, locale, logging, os, random, re
import signal, sys, sysconfig, threading, time, warnings  # fmt: skip

DIFFERS = {("logging", "_startTime")}
PLAIN = (bool, bytes, complex, float, int, str, type(None))
LONG = (bytes, str)
FUNCTION = type(lambda: 0)

objects = len(gc.get_objects())
counts = gc.get_count()
blocks = sys.getallocatedblocks()
seen = {}
mine = {id(globals())}


def describe(value, depth):
    """Tell an object from any other: what it is, where it lies and what it holds."""
    kind = type(value)
    if kind in PLAIN:
        return repr(value) if kind not in LONG or len(value) < 50 else f"{len(value)} {hash(value)}"
    text = f"{kind.__name__} at {id(value)}"
    if depth == 0 or id(value) in seen or id(value) in mine:
        return text
    seen[id(value)] = value
    parts = ()
    if isinstance(value, (list, tuple, set, frozenset)):
        parts = [describe(v, depth - 1) for v in value]
        if isinstance(value, (set, frozenset)):
            parts.sort()
    elif isinstance(value, dict):
        parts = [f"{describe(k, 0)}: {describe(v, depth - 1)}" for k, v in value.items()]
    elif isinstance(value, type):
        parts = [f"{k}: {describe(v, depth - 1)}" for k, v in sorted(type.__dict__["__dict__"].__get__(value).items())]
    elif kind is FUNCTION:
        parts = [describe(v, depth - 1) for v in (
            value.__code__.co_code, value.__code__.co_consts, value.__defaults__, value.__kwdefaults__,
            value.__closure__, value.__dict__)]  # fmt: skip
    return f"{text} ({', '.join(parts)})"


def line(name, *values):
    text = " ".join(describe(v, 3) for v in values)
    if len(text) > 300:
        text = f"{len(text)} characters, {hashlib.sha256(text.encode('utf-8', 'backslashreplace')).hexdigest()[:16]}"
    print(name, text)


def descriptor(number):
    try:
        return os.fstat(number).st_mode, os.lseek(number, 0, os.SEEK_CUR)
    except OSError as error:
        return error.errno


line("allocations", blocks, objects, counts, [id(object()), id([]), id({}), id(bytearray(100)), id(bytearray(10**6))])
line("collector", gc.isenabled(), gc.get_threshold(), gc.get_debug(), gc.get_freeze_count(), gc.garbage, gc.callbacks)
line("sys", sys.argv, sys.path, sys.flags, sys.getrecursionlimit(), sys.getswitchinterval(), sys.get_int_max_str_digits())
line("hooks", sys.gettrace(), sys.getprofile(), sys.excepthook, sys.unraisablehook, sys.displayhook, sys.breakpointhook)
line("asynchronous", sys.get_asyncgen_hooks(), sys.get_coroutine_origin_tracking_depth(), contextvars.copy_context().items())
line("imports", sys.meta_path, sys.path_hooks, sorted(sys.path_importer_cache), list(sys.modules), _imp.lock_held())
line("files", [descriptor(n) for n in range(64)], os.getcwd(), os.listdir("/"), os.listdir("."))
line("environment", dict(os.environ), os.environ._data, os.getenv("LANG"))
line("encodings", [codecs.lookup(n) for n in ("utf-8", "ascii", "latin-1")], [codecs.lookup_error(n) for n in ("strict", "ignore", "replace")])
line("streams", [(s.encoding, s.errors, s.line_buffering, s.write_through, s.closed, s.name) for s in (sys.stdin, sys.stdout, sys.stderr)])
line("locale", locale.setlocale(locale.LC_ALL), locale.localeconv(), time.tzname, time.timezone)
line("warnings", warnings.filters, warnings.onceregistry, warnings.showwarning, getattr(warnings, "_filters_version", None))
line("signals", [(n, signal.getsignal(n)) for n in (signal.SIGINT, signal.SIGTERM)])
line("threads", threading.enumerate(), threading.active_count(), threading.excepthook)
line("caches", list(linecache.cache), list(re._cache), list(re._cache2), atexit._ncallbacks())
line("logging", logging.root.level, logging.root.handlers, logging._handlerList, logging.root.manager.loggerDict, logging.raiseExceptions)
line("arithmetic", hash("x"), hash(1.5), decimal.getcontext().prec, decimal.getcontext().traps, 0.1 + 0.2, 7 * 8, sum(range(100)))
line("randomness", random.Random(5).random(), random.random.__self__ is random._inst, random.random() != random.random())
random.seed(7)
line("a seeded stream", random.random(), random.getrandbits(64), random.choice("abc"))
line("literals", (), "", "a", b"a", 0, 256, frozenset(), ..., type.__subclasses__(object)[:1], len(object.__subclasses__()))
for name, module in sorted(sys.modules.items()):
    contents = module.__dict__ if hasattr(module, "__dict__") else {}
    if contents is not globals():
        line(f"module {name}", [describe(v, 1) for n, v in contents.items() if (name, n) not in DIFFERS])
line("at last", sys.getallocatedblocks(), id(object()), id(bytearray(10**6)))
