"""Tell the host which functions of a program run, for a profile of its fuel.

The host shows this file to the guest only in calls that are to be profiled. What it
tells goes to ``/.sandboxd/fuel``, one message a write; see host/fuelprofile for them.
"""

import posix
import sys

_TOOL = 4  # of those that sys.monitoring has, one that nobody else takes
_MOST = (1 << 14) - 1


def start():
    """Begin to tell; return the function that ends it."""
    monitoring = sys.monitoring
    events = monitoring.events
    write = posix.write
    descriptor = posix.open("/.sandboxd/fuel", posix.O_WRONLY)
    known = {}  # what is told when a code object begins, by its address
    codes = []  # which are kept, so that no other comes to be at that address

    def learn(code):
        write(descriptor, b"P")
        number = min(len(codes), _MOST)
        name, file, line = code.co_qualname, code.co_filename, code.co_firstlineno
        if number == _MOST:
            name, file, line = "(others)", "", 0
        if len(codes) <= _MOST:
            text = f"{name}\0{file}".encode(errors="replace")
            write(descriptor, b"D" + number.to_bytes(4, "little") + line.to_bytes(4, "little") + text)
        codes.append(code)
        known[id(code)] = message = b"E" + number.to_bytes(4, "little")
        return message

    # A program may close what it did not open: then nothing is told any more.

    def enter(code, offset, error=None):
        try:
            write(descriptor, known[id(code)])
        except KeyError:
            try:
                write(descriptor, learn(code))
            except OSError:
                pass
        except OSError:
            pass

    def leave(code, offset, value=None):
        try:
            write(descriptor, b"L")
        except OSError:
            pass

    def stop():
        try:
            write(descriptor, b"P")
        except OSError:
            pass
        monitoring.set_events(_TOOL, 0)
        monitoring.free_tool_id(_TOOL)
        try:
            write(descriptor, b"X")
            posix.close(descriptor)
        except OSError:
            pass

    def nothing():
        pass

    known[id(stop.__code__)] = b""
    known[id(nothing.__code__)] = b"E\xff\xff\xff\xff"
    monitoring.use_tool_id(_TOOL, "sandboxd")
    for event in events.PY_START, events.PY_RESUME, events.PY_THROW:
        monitoring.register_callback(_TOOL, event, enter)
    for event in events.PY_RETURN, events.PY_YIELD, events.PY_UNWIND:
        monitoring.register_callback(_TOOL, event, leave)
    every = (
        events.PY_START | events.PY_RESUME | events.PY_THROW
        | events.PY_RETURN | events.PY_YIELD | events.PY_UNWIND
    )
    for _ in range(64):
        nothing()
    write(descriptor, b"C")
    for _ in range(64):
        nothing()
    write(descriptor, b"C")
    write(descriptor, b"C")
    monitoring.set_events(_TOOL, every)
    for _ in range(64):
        nothing()
    write(descriptor, b"B")
    return stop
