"""Run one program inside the sandbox, the way ``python program.py`` would.

The host shows this file to the guest as a module. A plain start runs it as the
program; a snapshot start calls ``start`` in an interpreter restored from an
image, so nothing here may be computed at import time that must differ between
calls.

Host and guest talk through files that exist only in the guest's view:

``/.sandboxd/request``
    a tuple in marshal's format: file name, arguments, environment, program. In a
    call that goes on from another, or that another may go on from, also whether the
    interpreter is kept, and how many descriptors earlier calls left behind. Last, if
    anything is, what is wanted: 1 for the value of the last expression, 2 for a profile
    of the fuel, or their sum.
``/.sandboxd/report``
    written here: the uncaught exception, as JSON.
``/.sandboxd/display``
    written by the library's ``display``, and here for a value that is wanted.
``/.sandboxd/modules``
    the library's modules of sandboxd's own, in marshal's format: paths and texts.
``/.sandboxd/farewell``
    written here when the interpreter is kept, as JSON: the exit code, and the
    addresses of random generators without a seed. The first attempt fails if files
    are open.
``/.sandboxd/gone``
    a file that can be opened and not used.
``/.sandboxd/fuel_profile.py``, ``/.sandboxd/fuel``
    in a call that is profiled: a module that tells which functions run, and where to.
"""

import __future__
import atexit
import builtins
import gc
import linecache
import marshal
import opcode
import os
import posix
import sys
import time
import traceback
import types
import warnings  # so that C code prints warnings through it, with their lines
from _io import BufferedRandom, BufferedReader, BufferedWriter, FileIO, TextIOWrapper
from _weakref import ref
from functools import update_wrapper
from importlib.machinery import BuiltinImporter, ModuleSpec, SourceFileLoader
from json.encoder import encode_basestring_ascii as _quoted

# The functions below keep to the builtins as they are now: the program may
# change its own. The same goes for what every call needs of other modules.
__builtins__ = dict(vars(builtins))
_collect = gc.collect
_objects = gc.get_objects
_logging = sys.modules.get("logging")  # None unless it was imported beforehand
_modules = sys.modules
# The interpreter's own messages and logging's clock changed in 3.13.
_313 = sys.version_info >= (3, 13)
_now = time.time_ns if _313 else time.time
_run_exitfuncs = atexit._run_exitfuncs
_stderr = sys.stderr
_stdin = sys.stdin
_stdout = sys.stdout
_Module = types.ModuleType

_DIRECTORY = "/.sandboxd/"
_CHUNK = 1 << 16
_MESSAGE_LIMIT = 4096
_LONG = 1 << 31
_INTERRUPTED = 130  # 128 + SIGINT
_LOST_OUTPUT = 120  # Python's own code for it
_SOURCES_LIMIT = 1 << 20
_FUTURE = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)

# Of a session, which is several calls that go on from each other.
_main = None  # the module __main__, which they share
_imported = 0  # how many modules there were before
_turns = 0  # calls so far
_sources = {}  # sizes of programs whose text is kept, by file name, the oldest first
_unseeded = {}  # weak references to random generators without a seed, by address
_seeds = 0  # how often one was made so


def start():
    """Run the requested program, then leave the interpreter with its exit code.

    Returns only when that code is 0, a plain return costs the host less than an exit
    from within, or when the interpreter is kept, for which it must return.
    """
    code = run(*_read_request())
    if code:
        posix._exit(code)


def run(filename, argv, env, program, keep=None, gone=0, wants=0):
    """Run a program from beginning to end and return its exit code.

    keep is None in a call that stands alone. wants is as in a request.
    """
    global _main
    sys.argv = argv
    if os.environ._data != env:
        os.environb.clear()
        os.environb.update(env)
    if keep is None or _main is None:
        if _logging is not None:
            _logging._startTime = _now()
        names = _new_main(filename)
        imported = len(_modules)
    else:
        _go_on(filename, gone)
        names = _main.__dict__
        imported = _imported
    if keep is not None:
        filename = _begin_turn(filename, program, imported)
    elif filename[0] != "<":
        linecache.cache[filename] = _Source(filename, program)
    failure = None
    if wants & 2:
        stop_profile = _start_profile()
    try:
        if wants & 1:
            _evaluate(program, filename, names)
        else:
            exec(compile(program, filename, "exec", dont_inherit=True), names)
    except BaseException as error:
        failure = error
    if wants & 2:
        stop_profile()
    # Outside of the handler, for nobody may see the exception as being handled.
    failed = failure is not None
    if not failed:
        code = 0
    elif isinstance(failure, SystemExit):
        status = _exit_status(failure, filename)
        failure = None  # and with it what only its traceback keeps
        code = _exit_code(status)
    else:
        code = _failed(failure, filename)
    del failure, names
    if keep:
        return _end_turn(code)
    _main = None
    _run_exitfuncs()
    if _logging is not None and len(_logging._handlerList) > 1:
        _shut_logging_down()
    if _flush():
        code = _LOST_OUTPUT
    if failed:
        _remember(None)
    _tear_down(imported)
    return code


def _evaluate(program, filename, names):
    """Run a program, and tell the host what its last statement comes to."""
    from _ast import Expr, Expression, PyCF_ONLY_AST
    from sandbox_display import show_value

    tree = compile(program, filename, "exec", PyCF_ONLY_AST, dont_inherit=True)
    last = tree.body.pop() if tree.body and type(tree.body[-1]) is Expr else None
    code = compile(tree, filename, "exec", dont_inherit=True)
    flags = code.co_flags & _FUTURE
    exec(code, names)
    if last is not None:
        show_value(eval(compile(Expression(last.value), filename, "eval", flags, dont_inherit=True), names))


def _read_request():
    descriptor = posix.open(_DIRECTORY + "request", posix.O_RDONLY)
    chunks = [posix.read(descriptor, _CHUNK)]
    while len(chunks[-1]) == _CHUNK:
        chunks.append(posix.read(descriptor, _CHUNK))
    posix.close(descriptor)
    return marshal.loads(b"".join(chunks))


def _start_profile():
    """Begin to tell the host which functions run; return the function that ends it."""
    path = _DIRECTORY + "fuel_profile.py"
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec")
    names = {"__name__": "fuel_profile"}
    exec(code, names)
    return names["start"]()


def _new_main(filename):
    module = _Module("__main__")
    names = module.__dict__
    names["__annotations__"] = {}
    names["__builtins__"] = builtins
    if filename[0] == "<":
        names["__loader__"] = BuiltinImporter
    else:
        names["__loader__"] = SourceFileLoader("__main__", filename)
        names["__file__"] = filename
        names["__cached__"] = None
    _modules["__main__"] = module
    return names


def _go_on(filename, gone):
    """Make an interpreter ready that a call left, whose host is another now."""
    names = _main.__dict__
    _modules["__main__"] = _main
    if filename[0] != "<":
        names["__file__"] = filename
    else:
        names.pop("__file__", None)
    sys.path_importer_cache.clear()  # files may have come and gone
    _forget_tools()
    _forget_packages()
    for stream, descriptor in (_stdin, 0), (_stdout, 1), (_stderr, 2):
        if descriptor == 0 or stream.closed:
            _reopen(stream, descriptor)
    for _ in range(gone):
        # What still names a file of an earlier call, be it an integer or the inside
        # of a library, is to fail, and not to read from a file of this one or close
        # it: so it is given another, of which there is no use.
        posix.open(_DIRECTORY + "gone", posix.O_WRONLY)


def _reopen(stream, descriptor):
    """Begin a standard stream anew, without what it had read of the last call's."""
    raw = FileIO(descriptor, "wb" if descriptor else "rb", closefd=False)
    raw.name = ("<stdin>", "<stdout>", "<stderr>")[descriptor]
    stream.__init__(
        BufferedWriter(raw) if descriptor else BufferedReader(raw), "utf-8", stream.errors, "\n",
        line_buffering=stream.line_buffering, write_through=stream.write_through,
    )


def _begin_turn(filename, program, imported):
    """Note a call of a session; return the name of its program in tracebacks.

    Functions outlive the call, so the name must tell which text they are from.
    """
    global _main, _imported, _turns
    if _main is None:
        _main, _imported = _modules["__main__"], imported
    _turns += 1
    if filename == "<string>":
        filename = f"<turn {_turns}>"
    known = linecache.cache.get(filename)
    if isinstance(known, _Source):
        if known.program == program:
            return filename
        filename = f"{filename} (turn {_turns})"
    linecache.cache[filename] = _Source(filename, program)
    _sources[filename] = len(program)
    excess = sum(_sources.values()) - _SOURCES_LIMIT
    while excess > 0 and len(_sources) > 1:
        oldest = next(iter(_sources))
        excess -= _sources.pop(oldest)
        linecache.cache.pop(oldest, None)
    return filename


def _end_turn(code):
    """Leave the interpreter as the next call is to find it; tell the host."""
    if _flush():
        code = _LOST_OUTPUT
    for stream in _stdout, _stderr:
        try:
            stream.flush()  # which sys.stdout may not be
        except BaseException:
            pass
    text = f'{{"exit":{code},"random":[{",".join(unseeded())}]}}'.encode()
    descriptor = posix.open(_DIRECTORY + "farewell", posix.O_WRONLY)
    try:
        posix.write(descriptor, text)
    except OSError:
        _close_files()
        posix.write(descriptor, text)
    posix.close(descriptor)
    return 0


def unseeded():
    """Return the addresses of the random generators that have no seed, as text."""
    addresses = []
    for address, generator in list(_unseeded.items()):
        generator = generator()
        if generator is None:
            del _unseeded[address]
            continue
        addresses.append(str(address))
        try:
            generator.gauss_next = None
        except BaseException:
            pass
    return addresses


def _close_files():
    """Close the files that the program left open, having written what they hold."""
    everything = _objects()
    for thing in everything:
        if issubclass(type(thing), (TextIOWrapper, BufferedWriter, BufferedRandom)):
            try:
                thing.flush()
            except ValueError:
                pass  # it is closed already, or detached
            except BaseException as error:
                _ignored(error, thing)
    for thing in everything:
        if issubclass(type(thing), FileIO):
            try:
                if FileIO.fileno(thing) > 2:
                    FileIO.close(thing)
            except BaseException:
                pass


def watch(random):
    """Learn which of the library's random generators have no seed.

    They are to draw other numbers each time that the host restores a session, which
    it sees to itself. Those with one go on where they were.
    """
    global _seed, _setstate
    generator = random.Random
    _seed, _setstate = generator.seed, generator.setstate
    for function in seed, setstate:
        update_wrapper(function, getattr(generator, function.__name__))
        setattr(generator, function.__name__, function)
        setattr(random, function.__name__, getattr(random._inst, function.__name__))


def seed(self, a=None, version=2):
    global _seeds
    _seed(self, a, version)
    if a is None:
        _seeds += 1
        _unseeded[id(self)] = ref(self)
    else:
        _unseeded.pop(id(self), None)


def setstate(self, state):
    _setstate(self, state)
    _unseeded.pop(id(self), None)


class _Source:
    """The program's text, as an entry of linecache.

    An entry is a tuple of size, time, lines and name. This one makes its lines
    when somebody asks for them, and hides any file of the program's name.
    """

    def __init__(self, filename, program):
        self.filename = filename
        self.program = program
        self.lines = None

    def __len__(self):
        return 4

    def __getitem__(self, index):
        if self.lines is None:
            self.lines = self._decoded()
        return (len(self.program), None, self.lines, self.filename)[index]

    def _decoded(self):
        import tokenize
        from io import BytesIO, TextIOWrapper

        try:
            encoding, _ = tokenize.detect_encoding(BytesIO(self.program).readline)
        except SyntaxError:
            encoding = "utf-8"
        lines = TextIOWrapper(BytesIO(self.program), encoding, errors="replace").readlines()
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        return lines


def _failed(error, filename):
    """Show an exception that nobody caught; return the program's exit code."""
    if isinstance(error, SyntaxError) and error.text is None:
        _add_text(error, filename)
    _report(error, str, filename)
    _remember(error)
    _flush()
    try:
        hook = sys.excepthook
    except AttributeError:
        _say("sys.excepthook is missing\n")
        hook = _excepthook
    second = None
    try:
        hook(type(error), error, error.__traceback__)
    except BaseException as another:
        second = another
    if second is None:
        return _INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1
    if isinstance(second, SystemExit):
        return _exit_code(_exit_status(second, filename))
    _say("Error in sys.excepthook:\n")
    _print_exception(second)
    _say("\nOriginal exception was:\n")
    _print_exception(error)
    return 1


def _remember(error):
    """Keep an exception where debuggers look for it."""
    sys.last_exc = sys.last_value = error
    sys.last_type = None if error is None else type(error)
    sys.last_traceback = None if error is None else error.__traceback__


def _exit_status(exit, filename):
    """What a SystemExit carries; an exit with a message is reported."""
    try:
        status = exit.code
    except BaseException:
        status = exit
    if status is not None and not isinstance(status, int):
        _report(exit, lambda _: str(status), filename)
    return status


def _exit_code(status):
    """What the process exits with, as Python makes it of a SystemExit's code."""
    if status is None:
        return 0
    if isinstance(status, int):
        if -_LONG <= status < _LONG:
            return status & 0xFF
        _say("OverflowError: Python int too large to convert to C long\n")
        return 0xFF
    _flush()
    failure = None
    try:
        sys.stderr.write(str(status))
    except BaseException as error:
        failure = error
    _say("\n")
    if failure is not None and not _313:
        _print_exception(failure)
    return 1


def _add_text(error, filename):
    """Give an error of the compiler the line that Python would read from a file."""
    lines = _source_lines(error.filename) if error.filename == filename else ()
    if 0 < (error.lineno or 0) <= len(lines):
        error.text = lines[error.lineno - 1]


def _source_lines(filename):
    source = linecache.cache.get(filename)
    return source[2] if isinstance(source, _Source) else ()


def _report(error, text, filename):
    """Tell the host what failed and on which line of the user's own program."""
    line = 0
    if isinstance(error, SyntaxError) and error.filename == filename:
        line = error.lineno or 0
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == filename:
            line = trace.tb_lineno
        trace = trace.tb_next
    try:
        message = text(error)
    except BaseException:
        message = ""
    kind = type(error)
    name = kind.__qualname__
    if kind.__module__ not in ("builtins", "__main__"):
        name = f"{kind.__module__}.{name}"
    message = _quoted(message[:_MESSAGE_LIMIT])
    text = f'{{"type":{_quoted(name)},"message":{message},"line":{line}}}'
    descriptor = posix.open(_DIRECTORY + "report", posix.O_WRONLY)
    posix.write(descriptor, text.encode())
    posix.close(descriptor)


def _shut_logging_down():
    """Do what logging registers with atexit, in an interpreter that imports it."""
    try:
        _logging.shutdown()
    except BaseException as error:
        _ignored(error, _logging.shutdown, "Exception ignored in atexit callback")


def _flush():
    """Flush the standard streams; report whether output was lost."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        return _flush_each()
    return False


def _flush_each():
    """Flush what can be flushed, when something cannot."""
    lost = False
    for stream in getattr(sys, "stdout", None), getattr(sys, "stderr", None):
        try:
            if stream is not None and not getattr(stream, "closed", False):
                stream.flush()
        except BaseException as error:
            lost = True
            if stream is getattr(sys, "stderr", None):
                pass
            elif _313:
                _ignored(error, None, "Exception ignored on flushing sys.stdout")
            else:
                _ignored(error, stream)
    return lost


def _tear_down(imported):
    """Let go of what the program made, in the order of an interpreter's end.

    imported is how many modules there were before the program ran.
    """
    sys.stdout = _stdout
    sys.stderr = _stderr
    late = list(_modules)[imported:] if len(_modules) > imported else ()
    _modules.pop("__main__", None)
    for name in late:
        _modules.pop(name, None)
    _collect()
    _flush()


def _excepthook(kind, value, trace):
    """Show an uncaught exception, in place of the interpreter's own function.

    That one looks for source lines in files, and the program is none.
    """
    if value.__traceback__ is None:
        value.__traceback__ = trace
    _print_exception(value)


def _unraisablehook(unraisable):
    """Show an exception that cannot be raised, for the same reason."""
    message = unraisable.err_msg
    if unraisable.object is not None:
        try:
            name = repr(unraisable.object)
        except BaseException:
            name = "<object repr() failed>"
        _say(f"{message or 'Exception ignored in'}: {name}\n")
    elif message is not None:
        _say(f"{message}:\n")
    error = unraisable.exc_value
    if error is not None:
        text = traceback.TracebackException(type(error), error, None, limit=0)
        text.stack = _Stack(unraisable.exc_traceback, pointing=not _313)
        _say("".join(text.format(chain=False)))


def _ignored(error, where, message=None):
    if _313 and where is not None and message is not None:
        message, where = f"{message} {where!r}", None
    unraisable = types.SimpleNamespace(
        exc_type=type(error), exc_value=error, exc_traceback=error.__traceback__,
        err_msg=message, object=where,
    )
    try:
        sys.unraisablehook(unraisable)
    except BaseException:
        _unraisablehook(unraisable)


def _say(text):
    """Write to standard error, if the program left one that can be written to."""
    try:
        sys.stderr.write(text)
    except Exception:
        pass


def _print_exception(error):
    try:
        text = traceback.TracebackException(type(error), error, None, limit=0, compact=True)
        _fill(text, error)
        lines = "".join(text.format())
    except Exception:
        lines = f"{type(error).__name__}\n"
    _say(lines)


def _fill(text, error):
    """Give an exception and those it came from their stacks."""
    text.stack = _Stack(error.__traceback__)
    if text.__cause__ is not None:
        _fill(text.__cause__, error.__cause__)
    if text.__context__ is not None:
        _fill(text.__context__, error.__context__)
    for part, member in zip(text.exceptions or (), getattr(error, "exceptions", ())):
        _fill(part, member)


class _Stack(traceback.StackSummary):
    """A stack that looks at repeated frames only as far as it prints them.

    The library's own examines every frame before it leaves out most, parses the
    line of each again, and searches again for files that it did not find: a
    runaway recursion takes it more fuel than most programs have.
    """

    SHOWN = 3

    def __init__(self, trace, pointing=True):
        self.pointing = pointing
        known = {}
        previous, repeats = None, 0
        while trace is not None:
            code = trace.tb_frame.f_code
            place = code.co_filename, trace.tb_lineno, code.co_name
            repeats = repeats + 1 if place == previous else 1
            previous = place
            if repeats <= self.SHOWN:
                key = id(code), trace.tb_lasti
                if key not in known:
                    known[key] = self._text(code, trace)
                self.append(known[key])
            elif repeats == self.SHOWN + 1:
                self.append(1)
            else:
                self[-1] += 1
            trace = trace.tb_next

    def _text(self, code, trace):
        last_line = column = last_column = None
        if self.pointing:
            _, last_line, column, last_column = traceback._get_code_position(code, trace.tb_lasti)
        name = code.co_filename
        if name[0] != "<" and not linecache.getlines(name, trace.tb_frame.f_globals):
            linecache.cache[name] = (0, None, [], name)
        return self.format_frame_summary(traceback.FrameSummary(
            name, trace.tb_lineno, code.co_name, lookup_line=False,
            end_lineno=last_line, colno=column, end_colno=last_column,
        ))

    def format(self, **_):
        lines = []
        for entry in self:
            if isinstance(entry, int):
                plural = "s" if entry > 1 else ""
                entry = f"  [Previous line repeated {entry} more time{plural}]\n"
            lines.append(entry)
        return lines


def _hide(function):
    """Make a function's frames invisible to whoever walks the stack.

    CPython shows a frame only once it has come to its first RESUME instruction,
    before which a function copies its cells and the like. Without one, a frame is
    in no traceback, and sys._getframe, inspect and warnings pass it over: what
    the program sees is a stack that begins with itself.
    """
    resume, nop = opcode.opmap["RESUME"], opcode.opmap["NOP"]
    code = bytearray(function.__code__.co_code)
    for i in range(0, len(code), 2):
        if code[i] == resume:
            code[i] = nop
    function.__code__ = function.__code__.replace(co_code=bytes(code))


sys.excepthook = sys.__excepthook__ = _excepthook
# The module's own come from a counter of nanoseconds in 32 bits: they jump.
time.process_time, time.process_time_ns = time.perf_counter, time.perf_counter_ns
sys.unraisablehook = sys.__unraisablehook__ = _unraisablehook


def at_end(function):
    """Return what makes a script's end call a function, if it is its __file__.

    When a script has run, the interpreter deletes its ``__file__``. What is called
    then has no Python frame below it.
    """
    return type("AtEnd", (), {"__del__": staticmethod(function)})()


def add_library():
    """Let programs import the modules that come with sandboxd; return their names."""
    global _forget_tools, _forget_packages
    library = _Library()
    sys.meta_path.append(library)
    for name in "sandbox_net", "sandbox_tools", "_sandbox_packages":
        __import__(name)
    _forget_tools = _modules["sandbox_tools"].forget
    _forget_packages = _modules["_sandbox_packages"].forget
    sys.path_hooks.insert(0, _modules["_sandbox_packages"].hook)
    return library.names


class _Library:
    """Finds and loads the modules that come with sandboxd, which are in no file.

    It is the last to be asked: a module of the program's own comes before.
    """

    def __init__(self):
        descriptor = posix.open(_DIRECTORY + "modules", posix.O_RDONLY)
        with FileIO(descriptor) as file:
            paths, texts = marshal.loads(file.readall())
        self.names = []
        self._texts = {}
        for path, text in zip(paths, texts):
            parts = path[: -len(".py")].split("/")
            package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if package else parts)
            self.names.append(name)
            self._texts[name] = text, _DIRECTORY + path, package

    def find_spec(self, name, path=None, target=None):
        if name not in self._texts:
            return None
        _, origin, package = self._texts[name]
        return ModuleSpec(name, self, origin=origin, is_package=package)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        text, origin, _ = self._texts[module.__name__]
        exec(compile(text, origin, "exec", dont_inherit=True), module.__dict__)

    def get_source(self, name):
        return self._texts[name][0]

    def is_package(self, name):
        return self._texts[name][2]


def _plain_start():
    posix._exit(run(*_read_request()))


for _function in list(globals().values()):
    if isinstance(_function, types.FunctionType) and _function.__globals__ is globals():
        _hide(_function)
if __name__ == "__main__":
    os.chdir("/app")
    sys.path.insert(0, "/app")
    sys.path.append("/packages")
    add_library()
    sys.stdout.reconfigure(line_buffering=True)
    sys.orig_argv = ["python"]
    __file__ = at_end(_plain_start)
