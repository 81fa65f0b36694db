"""The module ``tools``: functions of the program that embeds the sandbox.

    import tools
    for item in tools.search(query="blue"):
        print(item)

Which there are, that program says with each call: ``dir(tools)`` lists them, and
``help(tools.search)`` tells what one does. Arguments are keywords, or one dict, that
JSON can hold; so is the answer. A call without one raises ``tools.ToolError``.

There is no such module where the host offers no tools. Host and guest talk through a
file: a call is a name, a line break and the arguments as JSON; the answer is "ok", or
what sort of failure it was, a line break, and JSON or a message.
"""

import errno
import json
import posix
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

_FILE = "/.sandboxd/tools"
_ABOUT = "/.sandboxd/tools.json"
_CHUNK = 1 << 16
_NONE = "this program was given no tools: the program that runs it decides which there are"
_dumps, _loads = json.dumps, json.loads
_encode = json.JSONEncoder(allow_nan=False).encode
# What those and _encode come to in the end, for every object that has no fault: they
# take a third as long when they are not made anew for each call. The encoder does not
# look for circles, which end it when it is too deep.
_pieces = json.encoder.c_make_encoder(
    None, json.JSONEncoder().default, json.encoder.encode_basestring_ascii, None, ": ", ", ", False, False, False
)
_scan = json.JSONDecoder().scan_once
_join = "".join
_modules = sys.modules

_known = None  # what the host says of the tools of this call, by name


class ToolError(Exception):
    """A tool gave no answer.

    ``tool`` is its name. ``kind`` is "failed" for an error of the tool's own,
    "invalid" for arguments that it does not take, "unknown" where there is no such
    tool, "timeout", or "limit".
    """

    def __init__(self, message, tool=None, kind="failed"):
        super().__init__(message)
        self.tool = tool
        self.kind = kind


class _Tools(ModuleType):
    """A module whose functions are those of the call that goes on."""

    def __getattr__(self, name):
        known = _tools()
        if name not in known:
            if name[:2] != "__":
                have = f"there are {', '.join(known)}" if known else _NONE
                raise AttributeError(f"module 'tools' has no tool {name!r}; {have}", name=name, obj=self)
            raise AttributeError(f"module 'tools' has no attribute {name!r}", name=name, obj=self)
        function = _make(name, known[name])
        self.__dict__[name] = function
        return function

    def __dir__(self):
        return ["ToolError", *_tools()]

    @property
    def __all__(self):
        return self.__dir__()


def _tools():
    """What the host says of its tools, read once in every call."""
    global _known
    if _known is None:
        try:
            text = _exchange(_ABOUT, posix.O_RDONLY)
        except FileNotFoundError:
            _known = {}
        else:
            _known = {tool["name"]: tool for tool in _loads(text)}
    return _known


def forget():
    """Begin a call that goes on from another, whose tools may be others."""
    global _known
    mine = _module.__dict__
    for name in _known or ():
        mine.pop(name, None)
    _known = None
    if "tools" in _modules and (_modules["tools"] is _module or _tools()):
        del _modules["tools"]


def _make(name, about):
    def tool(arguments=None, /, **named):
        return _call(name, arguments, named)

    tool.__name__ = tool.__qualname__ = name
    tool.__module__ = "tools"
    tool.__doc__ = about["description"]
    if "schema" in about:
        tool.__doc__ += "\n\nThe arguments, as a JSON Schema:\n" + _dumps(about["schema"], ensure_ascii=False)
    return tool


def _call(name, arguments, named):
    if arguments is None:
        arguments = named
    elif named or not isinstance(arguments, dict):
        raise TypeError(f"tools.{name}() takes keyword arguments, or one dict")
    try:
        answer = _exchange(_FILE, posix.O_RDWR, f"{name}\n{_text(arguments)}".encode())
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EROFS):
            raise ToolError(_NONE, name, "unknown") from None
        raise ToolError(f"{name} could not be called: {error.strerror}", name, "limit") from None
    kind, _, rest = answer.partition(b"\n")
    if kind != b"ok":
        raise ToolError(rest.decode(), name, kind.decode())
    return _scan(rest.decode("utf-8", "surrogatepass").lstrip(" \t\n\r"), 0)[0]


def _text(arguments):
    try:
        return _join(_pieces(arguments, 0))
    except Exception:
        pass
    return _encode(arguments)  # says what is wrong with them


def _exchange(path, flags, data=b""):
    descriptor = posix.open(path, flags)
    try:
        while data:
            data = data[posix.write(descriptor, data):]
        chunks = [posix.read(descriptor, _CHUNK)]
        while len(chunks[-1]) == _CHUNK:  # a read gives less at the end only
            chunks.append(posix.read(descriptor, _CHUNK))
    finally:
        posix.close(descriptor)
    return b"".join(chunks)


class _Finder:
    """Finds the module where there are tools, before any file of its name."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "tools" and _tools():
            return ModuleSpec(name, _Loader, origin="sandboxd")
        return None


class _Loader:
    @staticmethod
    def create_module(spec):
        return _module

    @staticmethod
    def exec_module(module):
        pass


class _Missing:
    """Says why there is no such module, where there is no file of its name either."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "tools":
            raise ModuleNotFoundError(f"No module named 'tools': {_NONE}", name=name)
        return None


_module = _Tools("tools", __doc__)
_module.ToolError = ToolError
ToolError.__module__ = "tools"
sys.meta_path.insert(0, _Finder)
sys.meta_path.append(_Missing)
