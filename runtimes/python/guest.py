"""Run one program inside the sandbox, the way ``python program.py`` would.

The host shows this file to the guest as a module. A plain start calls ``start``
in a new interpreter; a snapshot start calls ``start`` in an interpreter restored
from an image, so nothing here may be computed at import time that must differ
between calls.

Host and guest talk through files that exist only in the guest's view:

``/.sandboxd/request``
    a tuple in marshal's format: file name, arguments, environment, program.
``/.sandboxd/report``
    written here: the uncaught exception, as JSON.
"""

import atexit
import builtins
import gc
import json
import linecache
import marshal
import os
import posix
import sys
import traceback
import types

_DIRECTORY = "/.sandboxd/"
_CHUNK = 1 << 16
_MESSAGE_LIMIT = 4096
_NAMES_KEPT_TO_THE_END = ("__builtins__",)


def start():
    """Run the requested program, then leave the interpreter with its exit code.

    Returns only when that code is 0: a plain return costs the host less than
    an exit from within.
    """
    code = perform(*_read_request())
    if code:
        posix._exit(code)


def perform(filename, argv, env, program):
    """Run a program from beginning to end and return its exit code."""
    sys.argv = argv
    sys.orig_argv = ["python", *argv]
    if os.environ._data != env:
        _replace_environment(env)
    module = _new_main(filename)
    code = _run(_Source(filename, program), module)
    return _finish(module) or code


class _Source:
    """The program's text, decoded only if somebody asks to see its lines."""

    __slots__ = ("filename", "program")

    def __init__(self, filename, program):
        self.filename = filename
        self.program = program
        if filename[0] != "<":
            # A one-item entry is linecache's form for "call this to get the text".
            linecache.cache[filename] = (self.text,)

    def text(self):
        import tokenize
        from io import BytesIO, TextIOWrapper

        try:
            encoding, _ = tokenize.detect_encoding(BytesIO(self.program).readline)
            return TextIOWrapper(BytesIO(self.program), encoding, errors="replace").read()
        except (SyntaxError, LookupError):
            return self.program.decode("utf-8", "replace")

    def show_lines(self):
        """Make tracebacks print this program, whatever file of that name exists."""
        if self.filename in linecache.cache:
            text = self.text()
            lines = [line + "\n" for line in text.splitlines()]
            linecache.cache[self.filename] = (len(text), None, lines, self.filename)


def _read_request():
    descriptor = posix.open(_DIRECTORY + "request", posix.O_RDONLY)
    data = chunk = posix.read(descriptor, _CHUNK)
    while len(chunk) == _CHUNK:
        chunk = posix.read(descriptor, _CHUNK)
        data += chunk
    posix.close(descriptor)
    return marshal.loads(data)


def _replace_environment(env):
    os.environ.clear()
    for name, value in env.items():
        os.environ[name.decode()] = value.decode()


def _new_main(filename):
    module = types.ModuleType("__main__")
    names = module.__dict__
    names["__builtins__"] = builtins
    names["__annotations__"] = {}
    if filename[0] != "<":
        names["__file__"] = filename
        names["__cached__"] = None
    sys.modules["__main__"] = module
    return module


def _run(source, module):
    try:
        code = compile(source.program, source.filename, "exec", dont_inherit=True)
        exec(code, module.__dict__)
    except SystemExit as exit:
        return _exit_code(exit.code)
    except BaseException as error:
        # The first entry of the traceback is this function, which is ours.
        trace = error.__traceback__.tb_next
        source.show_lines()
        _report(error, trace, source.filename)
        _show(error.with_traceback(trace))
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _exit_code(code):
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    _flush()
    print(code, file=sys.stderr)
    return 1


def _show(error):
    _flush()
    hook = sys.excepthook
    if hook is sys.__excepthook__:
        _print_exception(error)
        return
    try:
        hook(type(error), error, error.__traceback__)
    except SystemExit:
        pass
    except BaseException as second:
        print("Error in sys.excepthook:", file=sys.stderr)
        _print_exception(second.with_traceback(second.__traceback__.tb_next))
        print("\nOriginal exception was:", file=sys.stderr)
        _print_exception(error)


def _print_exception(error):
    text = traceback.TracebackException(type(error), error, None, limit=0, compact=True)
    _fill(text, error)
    for line in text.format():
        sys.stderr.write(line)


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

    The library's own examines every frame before it leaves out most: a thousand
    frames of a runaway recursion take it more fuel than most programs have.
    """

    SHOWN = 3

    def __init__(self, trace):
        previous, repeats = None, 0
        while trace is not None:
            code = trace.tb_frame.f_code
            place = code.co_filename, trace.tb_lineno, code.co_name
            repeats = repeats + 1 if place == previous else 1
            previous = place
            if repeats <= self.SHOWN:
                self.append(self._summary(code, trace))
            elif repeats == self.SHOWN + 1:
                self.append(1)
            else:
                self[-1] += 1
            trace = trace.tb_next

    @staticmethod
    def _summary(code, trace):
        line, last_line, column, last_column = traceback._get_code_position(code, trace.tb_lasti)
        linecache.lazycache(code.co_filename, trace.tb_frame.f_globals)
        return traceback.FrameSummary(
            code.co_filename, trace.tb_lineno, code.co_name, lookup_line=False,
            end_lineno=last_line, colno=column, end_colno=last_column,
        )

    def format(self, **_):
        lines = []
        for entry in self:
            if isinstance(entry, int):
                plural = "s" if entry > 1 else ""
                lines.append(f"  [Previous line repeated {entry} more time{plural}]\n")
            else:
                lines.append(self.format_frame_summary(entry))
        return lines


def _report(error, trace, filename):
    """Tell the host what failed and on which line of the user's own program."""
    line = 0
    if isinstance(error, SyntaxError) and error.filename == filename:
        line = error.lineno or 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == filename:
            line = trace.tb_lineno
        trace = trace.tb_next
    try:
        message = str(error)
    except Exception:
        message = ""
    kind = type(error)
    name = kind.__qualname__
    if kind.__module__ not in ("builtins", "__main__"):
        name = f"{kind.__module__}.{name}"
    text = json.dumps({"type": name, "message": message[:_MESSAGE_LIMIT], "line": line})
    descriptor = posix.open(_DIRECTORY + "report", posix.O_WRONLY)
    posix.write(descriptor, text.encode())
    posix.close(descriptor)


def _finish(module):
    """End the program in the order in which an interpreter does."""
    if "threading" in sys.modules:
        sys.modules["threading"]._shutdown()
    atexit._run_exitfuncs()
    failed = _flush()
    names = module.__dict__
    # Names with one leading underscore go first, as in CPython's module teardown.
    for name in list(names):
        if name[0] == "_" and name[1:2] != "_":
            names[name] = None
    for name in list(names):
        if name != "__builtins__":
            names[name] = None
    gc.collect()
    _flush()
    # 120 is what CPython exits with when standard output cannot be flushed.
    return 120 if failed else 0


def _flush():
    """Flush the standard streams; report whether output was lost."""
    failed = False
    try:
        sys.stdout.flush()
        sys.__stdout__.flush()
        sys.stderr.flush()
    except Exception:
        failed = _is_open(sys.stdout)
    return failed


def _is_open(stream):
    return stream is not None and not getattr(stream, "closed", False)


if __name__ == "__main__":
    os.chdir("/app")
    sys.path.insert(0, "/app")
    sys.stdout.reconfigure(line_buffering=True)
    start()
