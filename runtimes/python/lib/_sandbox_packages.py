"""Find and load installed packages, of which all is known beforehand.

When packages are installed, ``compile_packages.py`` puts what importing them takes
beside them, into ``/packages/.sandboxd``: which modules there are, their code, and the
regular expressions that they compile. So an import neither searches the directory, which
cannot change, nor opens a file for each module.

What a module gets is what it would get otherwise: its ``__file__``, ``__cached__`` and
``__spec__`` name the same files, its loader is a ``SourceFileLoader``, and a module that
is imported for the second time is read from those files.

What is in ``.sandboxd`` is trusted as the compiled files are: both are code, written by
the same program of sandboxd's own.
"""

import _sre
import marshal
import posix
import re
import sys
from importlib.machinery import (
    SOURCE_SUFFIXES, BYTECODE_SUFFIXES, FileFinder, ModuleSpec, SourceFileLoader, SourcelessFileLoader,
)

_ROOT = "/packages"
_BELOW = _ROOT + "/"
_PREPARED = _ROOT + "/.sandboxd/"
_CACHED = f".{sys.implementation.cache_tag}.pyc"
_LOADERS = (SourceFileLoader, SOURCE_SUFFIXES), (SourcelessFileLoader, BYTECODE_SUFFIXES)

# Modules and packages at the top, and how long the first part of their file is; 0 if
# there is no file, and None if nothing is known yet.
_names = None
_files = {}  # what was read of them, by name


def forget():
    """Forget what is installed: a call that goes on from another may have other packages."""
    global _names
    _names = None
    _files.clear()


def hook(path):
    """Return the finder of a directory of packages, as an entry of sys.path_hooks."""
    global _names
    if path != _ROOT and not path.startswith(_BELOW):
        raise ImportError("not below " + _ROOT)
    if _names is None:
        try:
            length = posix.stat(_PREPARED + ".names").st_size
            _names = marshal.loads(_read(".names", 0, length))
        except OSError:  # there are no packages, or a directory of the user's own
            raise ImportError("nothing is known of " + _ROOT) from None
    return _Finder(path, *_LOADERS)


class _Finder(FileFinder):
    """Finds modules of one directory, without looking at it."""

    def __init__(self, path, *loaders):
        super().__init__(path, *loaders)
        self._below = path[len(_BELOW):] + "/" if path != _ROOT else ""

    def find_spec(self, fullname, target=None):
        key = self._below + fullname.rpartition(".")[2]
        top = key.partition("/")[0]
        length = _names.get(top)
        if length is None:
            return None
        if length:
            place = _file(top, length)[0].get(key, ())
            if place is None:
                return None
            if place:
                return _spec(fullname, key, place[0])
        return super().find_spec(fullname, target)


def _spec(fullname, key, is_package):
    directory, _, name = (_BELOW + key).rpartition("/")
    if is_package:
        directory, name = _BELOW + key, "__init__"
    path = f"{directory}/{name}.py"
    spec = ModuleSpec(fullname, _Loader(fullname, path), origin=path, is_package=is_package)
    spec.has_location = True
    spec.cached = f"{directory}/__pycache__/{name}{_CACHED}"
    if is_package:
        spec.submodule_search_locations.append(directory)
    return spec


class _Loader(SourceFileLoader):
    """Loads a module with the code and the regular expressions that were prepared."""

    def get_code(self, fullname):
        prepared = _take(self.path[len(_BELOW):].removesuffix(".py").removesuffix("/__init__"))
        if prepared is None:
            return super().get_code(fullname)
        code, patterns = prepared
        for pattern in patterns:
            _remember(*pattern)
        return code


def _file(top, length):
    """What is known of a module or package at the top, and the code it begins with."""
    if top not in _files:
        _files[top] = marshal.loads(_read(top, 0, length))
    return _files[top]


def _take(key):
    """The code of a module and its patterns, if it was not taken before."""
    top = key.partition("/")[0]
    if not (_names and _names.get(top)):
        return None
    places, together = _file(top, _names[top])
    if key in together:
        return together.pop(key)
    place = places.get(key)
    if not place or not place[2]:
        return None
    return marshal.loads(_read(top, _names[top] + place[1], place[2]))


def _read(name, offset, length):
    descriptor = posix.open(_PREPARED + name, posix.O_RDONLY)
    try:
        chunks = []
        while length:
            chunk = posix.pread(descriptor, length, offset)
            if not chunk:
                break
            chunks.append(chunk)
            offset += len(chunk)
            length -= len(chunk)
    finally:
        posix.close(descriptor)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _remember(pattern, flags, *compiled):
    """Put a compiled pattern where re looks for it before it compiles."""
    key = type(pattern), pattern, flags
    if key not in re._cache and len(re._cache) < re._MAXCACHE:
        all_flags, code, groups, index, names = compiled
        code = memoryview(code).cast("I").tolist()
        re._cache[key] = _sre.compile(pattern, all_flags, code, groups, index, names)
