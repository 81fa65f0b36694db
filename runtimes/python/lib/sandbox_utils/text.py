"""Lines of text. Files are read as UTF-8, line by line: they may be large."""

import difflib
import re
from collections import deque
from collections.abc import Iterable
from itertools import islice
from os import PathLike

from ._paths import at, shown
from .files import find

__all__ = ["grep", "sed", "head", "tail", "wc", "diff"]

_Paths = str | PathLike | Iterable[str | PathLike]


def _open(file):
    return at(file).open(encoding="utf-8", errors="replace")


def _files(files):
    """The files that a caller names: paths, patterns of them, or several."""
    if isinstance(files, (str, PathLike)):
        files = [files]
    for file in files:
        name = str(file)
        if any(sign in name for sign in "*?[") and not at(name).exists():
            yield from (p for p in find(name) if p.is_file())
        elif at(name).is_dir():
            yield from (p for p in find("*", name) if p.is_file())
        else:
            yield at(name)


def grep(pattern: str, files: _Paths, regex: bool = True, ignore_case: bool = False) -> list[tuple[str, int, str]]:
    """Return (file, line number, line) for each line in which a pattern is found.

    files is a path, a pattern such as "*.log", a directory, which means all files
    in it, or several of these. pattern is a regular expression, or with regex=False
    a text to look for. Lines come without their ends and count from 1.
    """
    search = re.compile(pattern if regex else re.escape(pattern), re.IGNORECASE if ignore_case else 0).search
    found = []
    for file in _files(files):
        name = str(shown(file))
        with _open(file) as lines:
            found += ((name, number, line.rstrip("\n")) for number, line in enumerate(lines, 1) if search(line.rstrip("\n")))
    return found


def sed(pattern: str, replacement: str, text: str, count: int = 0) -> str:
    r"""Return a text in which what a regular expression matches is replaced.

    ``^`` and ``$`` match at every line. replacement may hold groups: ``\1``. count
    is how many are replaced at most; 0 means all.
    """
    return re.sub(pattern, replacement, text, count=count, flags=re.MULTILINE)


def head(file: str | PathLike, lines: int = 10) -> str:
    """Return the first lines of a file."""
    with _open(file) as text:
        return "".join(islice(text, max(0, lines)))


def tail(file: str | PathLike, lines: int = 10) -> str:
    """Return the last lines of a file."""
    with _open(file) as text:
        return "".join(deque(text, max(0, lines)))


def wc(file: str | PathLike) -> dict[str, int]:
    """Count a file: {"lines": ..., "words": ..., "chars": ...}."""
    count = {"lines": 0, "words": 0, "chars": 0}
    with at(file).open(encoding="utf-8", errors="replace", newline="") as text:
        for line in text:
            count["lines"] += line.endswith("\n")
            count["words"] += len(line.split())
            count["chars"] += len(line)
    return count


def diff(file1: str | PathLike, file2: str | PathLike, context: int = 3) -> str:
    """Return what differs between two files in the unified format; "" if nothing does."""
    with _open(file1) as one, _open(file2) as two:
        lines = difflib.unified_diff(one.readlines(), two.readlines(), str(file1), str(file2), n=context)
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)
