"""Spoil an interpreter in ways drawn at random, and end in one of them.

Arguments: a seed, and how many things to spoil.
"""

import abc, asyncio, atexit, builtins, codecs, collections, contextvars, copyreg, dataclasses, decimal, encodings.aliases
import enum, functools, gc, io, json, linecache, locale, logging, os, pathlib, pickle, posix, random, re, signal, string
import struct, sys, tempfile, textwrap, threading, time, traceback, types, typing, unittest, warnings, weakref  # fmt: skip

rng = random.Random(int(sys.argv[1]))
draw, pick, below, sample = rng.random, rng.choice, rng.randrange, rng.sample
modules = sys.modules
names = sorted(modules)
spoilt = [None, 0, "spoilt", b"\xff", [], {}, 1e300, object(), lambda *a, **k: "spoilt", type("Spoilt", (), {})]
kept = []


def module():
    return modules[pick(names)]


def builtin():
    setattr(builtins, pick(dir(builtins)), pick(spoilt))


def builtin_gone():
    delattr(builtins, pick(dir(builtins)))


def builtin_new():
    setattr(builtins, f"new_{below(100)}", pick(spoilt))


def attribute():
    m = module()
    setattr(m, pick(dir(m)), pick(spoilt))


def attribute_gone():
    m = module()
    delattr(m, pick(dir(m)))


def attribute_of_class():
    classes = [v for v in vars(module()).values() if isinstance(v, type)]
    setattr(c := pick(classes), pick(dir(c)), pick(spoilt))


def code_of_function():
    functions = [v for v in vars(module()).values() if isinstance(v, types.FunctionType)]
    pick(functions).__code__ = (lambda *a, **k: "spoilt").__code__


def defaults_of_function():
    functions = [v for v in vars(module()).values() if isinstance(v, types.FunctionType)]
    f = pick(functions)
    f.__defaults__, f.__kwdefaults__, f.__doc__ = (1, 2), {"x": 3}, "spoilt"


def contents():
    for value in vars(module()).values():
        if isinstance(value, dict):
            value[pick(names)] = pick(spoilt)
        elif isinstance(value, list):
            value.append(pick(spoilt))
        elif isinstance(value, set):
            value.clear()


def module_gone():
    del modules[pick(names)]


def module_replaced():
    modules[pick(names)] = pick(spoilt)


def modules_gone():
    modules.clear()


def modules_new():
    names.append(f"new_{below(100)}")
    modules[names[-1]] = types.ModuleType(names[-1])


def imported():
    __import__(pick(["turtle", "cmd", "this", "xml.dom.minidom", "html.parser", "email.message", "zipfile", "nowhere"]))


def import_system():
    pick([sys.meta_path, sys.path_hooks, sys.path]).clear()
    sys.path_importer_cache.clear()


def import_path():
    sys.path.insert(below(3), f"/app/{below(9)}")


def globals_of_driver():
    for m in modules.values():
        if isinstance(m, types.ModuleType):
            vars(m).update(x="spoilt", names="spoilt")


def environment():
    os.environ[f"NEW_{below(9)}"] = "spoilt"
    os.environ.pop("LANG", None)
    posix.environ[b"LANG"] = b"spoilt"


def random_state():
    random.seed(below(9))
    random.SystemRandom.random = random.random


def random_state_copied():
    random.setstate(rng.getstate())


def descriptors():
    for n in range(below(40)):
        kept.append(os.open(f"/app/{n}", os.O_CREAT | os.O_RDWR))


def descriptors_closed():
    for n in sample(range(10), 3):
        try:
            os.close(n)
        except OSError:
            pass


def files():
    kept.append(open(f"/app/{below(99)}", "w", buffering=9999))
    kept[-1].write("never flushed")


def directories():
    os.makedirs(f"/app/{below(9)}/{below(9)}/{below(9)}")
    os.chdir(f"/app/{pick(os.listdir('/app'))}")


def streams():
    setattr(sys, pick(["stdin", "stdout", "stderr", "__stdout__", "__stderr__"]), io.StringIO())


def streams_closed():
    pick([sys.stdin, sys.stdout, sys.stderr]).close()


def streams_changed():
    sys.stdout.reconfigure(encoding=pick(["utf-16", "ascii", "latin-1"]), errors="replace", line_buffering=False)
    sys.stdout.write("not flushed")


def collector():
    gc.set_threshold(below(50) + 1, 2, 3)
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.callbacks.append(lambda *a: None)


def collector_off():
    gc.disable()
    gc.freeze()


def garbage():
    for _ in range(below(500)):
        a = []
        a.append(a)
    kept.append([bytearray(below(5000)) for _ in range(below(500))])


def warnings_spoilt():
    warnings.simplefilter(pick(["error", "always", "ignore"]))
    warnings.warn("spoilt")
    warnings.showwarning = lambda *a, **k: None


def encodings_spoilt():
    codecs.register(lambda name: codecs.lookup("latin-1"))
    codecs.register_error(pick(["strict", "ignore", "replace", "new"]), lambda e: ("?", e.end))
    encodings.aliases.aliases["utf_8"] = "latin_1"


def locale_spoilt():
    locale.setlocale(locale.LC_ALL, pick(["C", "C.UTF-8", "POSIX"]))


def time_zone():
    os.environ["TZ"] = "XYZ-5"
    time.tzset()


def limits():
    sys.setrecursionlimit(below(500) + 200)
    sys.set_int_max_str_digits(0)
    sys.setswitchinterval(5)


def hooks():
    sys.settrace(lambda *a: None)
    sys.setprofile(lambda *a: None)
    threading.settrace(lambda *a: None)
    sys.excepthook = sys.unraisablehook = sys.displayhook = lambda *a: None


def audit_hook():
    sys.addaudithook(lambda *a: None)


def asynchronous_hooks():
    sys.set_asyncgen_hooks(firstiter=lambda g: None, finalizer=lambda g: None)
    sys.set_coroutine_origin_tracking_depth(9)
    asyncio.set_event_loop_policy(None)


def context():
    contextvars.ContextVar("spoilt").set(1)
    decimal.getcontext().prec = 3
    decimal.DefaultContext.prec = 4


def signals():
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def exit_handlers():
    atexit.register(print, "at exit")
    weakref.finalize(rng, print, "finalized")


def logging_spoilt():
    logging.basicConfig(level=1, force=True)
    logging.getLogger(f"new.{below(9)}").addHandler(logging.StreamHandler(sys.stdout))
    logging.disable()


def caches():
    re.compile("".join(sample(string.ascii_letters, 9)))
    re._cache.clear()
    linecache.cache["probe.py"] = (9, None, ["spoilt\n"] * 99, "probe.py")
    struct.calcsize(f"{below(99)}i")


def registries():
    copyreg.pickle(int, lambda n: (int, ()))
    json.JSONEncoder.default = lambda self, o: "spoilt"
    pathlib.Path.exists = lambda self: True
    collections.abc.Mapping.register(int)


def caches_of_functions():
    for value in vars(module()).values():
        if isinstance(value, functools._lru_cache_wrapper):
            value.cache_clear()


def interned():
    for n in range(below(2000)):
        kept.append(sys.intern(f"spoilt_{n}"))


def classes():
    for n in range(below(50)):
        kept.append(enum.Enum(f"Spoilt{n}", "A B C"))
        kept.append(dataclasses.make_dataclass(f"Data{n}", ["x", "y"]))


def writes_anywhere():
    address = (id(()) + 12, below(1 << 24), 0)[below(3)]
    forged = struct.pack("<7I", 1000, id(bytearray), 1 << 30, 1 << 30, address & ~3, address & ~3, 0)
    holder = struct.pack("<I", id(forged) + 16) * 4
    index = (id(holder) + 16 - (id(()) + 12)) // 4 & 0xFFFFFFFF
    import opcode

    code = []
    for shift in (24, 16, 8):
        code += [opcode.opmap["EXTENDED_ARG"], index >> shift & 0xFF]
    code += [opcode.opmap["LOAD_CONST"], index & 0xFF, opcode.opmap["RETURN_VALUE"], 0]

    def read():
        pass

    read.__code__ = read.__code__.replace(co_code=bytes(code), co_consts=())
    memory = read()
    for at in range(0, 1 << below(20), 1 << below(8)):
        memory[at] = below(256)


def bytecode():
    def f():
        pass

    f.__code__ = f.__code__.replace(co_code=rng.randbytes(below(100) * 2 + 2), co_stacksize=below(99), co_consts=(1, None))
    f()


def end_normally():
    pass


def end_with_an_error():
    raise pick([ValueError, KeyError, MemoryError, RecursionError, KeyboardInterrupt, GeneratorExit])("spoilt")


def end_with_a_code():
    sys.exit(pick([0, 1, 77, -1, 1 << 40, "text", None, 1.5]))


def end_at_once():
    posix._exit(below(256))


def end_by_a_trap():
    os.abort()


def end_in_recursion():
    end_in_recursion()


def end_in_deep_recursion():
    sys.setrecursionlimit(10**9)
    end_in_recursion()


def end_without_memory():
    held = []
    while True:
        held.append(bytearray(100_000))


def end_without_fuel():
    while True:
        pass


def end_in_a_flood():
    while True:
        print("x" * 10_000)


def end_without_disk():
    n = 0
    while True:
        n += 1
        with open(f"/app/flood-{n}", "wb") as f:
            f.write(bytes(100_000))


WAYS = [f for n, f in globals().copy().items() if isinstance(f, types.FunctionType) and f.__code__.co_argcount == 0]
ENDS = [f for f in WAYS if f.__name__.startswith("end_")]
WAYS = [f for f in WAYS if f not in ENDS and f is not module]
RARE = [writes_anywhere, bytecode, modules_gone]  # little works after them
todo = [pick(WAYS) for _ in range(int(sys.argv[2]))]
if draw() < 0.7:
    todo = [f for f in todo if f not in RARE]
end = pick(ENDS)
print(*[f.__name__ for f in todo], end.__name__, flush=True)
for way in todo:
    try:
        way()
    except BaseException:
        pass
end()
