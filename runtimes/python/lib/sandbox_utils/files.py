"""Trees of files."""

import shutil
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from os import PathLike
from pathlib import Path

from ._paths import at, each, shown

__all__ = ["find", "tree", "walk", "copy_tree", "remove_tree"]


def walk(path: str | PathLike = "/app", filter_func: Callable[[Path], bool] | None = None) -> Iterator[Path]:
    """Yield every file and directory below a directory, by name, parents first.

    With filter_func, only the paths for which it is true; directories are looked
    into either way. Links are not followed.

    >>> [p.name for p in walk("data", lambda p: p.suffix == ".csv")]
    """
    for entry in each(at(path)):
        found = Path(entry.path)
        if filter_func is None or filter_func(found):
            yield found
        if entry.is_dir(follow_symlinks=False):
            yield from walk(found, filter_func)


def find(pattern: str = "*", path: str | PathLike = "/app", recursive: bool = True) -> list[Path]:
    """Return the files and directories whose name matches a pattern such as "*.csv".

    A pattern with a slash is matched against the path below the directory, where
    "*" stands for any characters but a slash and "**" for any directories:
    "logs/**/*.txt". Unless recursive, only the directory's own entries are looked at.
    """
    top = at(path)
    if "/" in pattern:
        return sorted(top.glob(pattern.lstrip("/")))
    if not recursive:
        return [Path(entry.path) for entry in each(top) if fnmatchcase(entry.name, pattern)]
    return list(walk(top, lambda found: fnmatchcase(found.name, pattern)))


def tree(path: str | PathLike = "/app", max_depth: int | None = None) -> str:
    """Return a drawing of a directory and what is below it, a line for each entry.

    Directories end in a slash; below max_depth levels only their names are shown.
    """
    top = at(path)
    lines = [f"{shown(top) if shown(top) != Path('.') else top}/"]

    def draw(directory, indent, depth):
        entries = each(directory)
        for entry in entries:
            last = entry is entries[-1]
            below = entry.is_dir(follow_symlinks=False)
            lines.append(f"{indent}{'└── ' if last else '├── '}{entry.name}{'/' if below else ''}")
            if below and (max_depth is None or depth < max_depth):
                draw(entry.path, indent + ("    " if last else "│   "), depth + 1)

    draw(top, "", 1)
    return "\n".join(lines)


def copy_tree(src: str | PathLike, dst: str | PathLike) -> Path:
    """Copy a directory with all that is in it, into dst, which may be there already.

    Files of the same name are replaced. Returns dst.
    """
    source, target = at(src), at(dst)
    if target == source or source in target.parents:
        raise ValueError(f"copy_tree: {str(dst)!r} is inside {str(src)!r}")
    return Path(shutil.copytree(source, target, dirs_exist_ok=True))


def remove_tree(path: str | PathLike, pattern: str | None = None) -> int:
    """Remove a directory with all that is in it; return how many files went.

    With a pattern such as "*.tmp", only the files below it whose names match.
    """
    top = at(path)
    files = [p for p in walk(top) if p.is_symlink() or not p.is_dir()]
    if pattern is not None:
        files = [p for p in files if fnmatchcase(p.name, pattern)]
        for file in files:
            file.unlink()
    elif top == at("."):
        raise ValueError("remove_tree: the workspace itself stays; name a directory in it, or a pattern")
    else:
        shutil.rmtree(top)
    return len(files)
