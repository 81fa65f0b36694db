"""What the commands of those names do."""

import shutil
from datetime import datetime
from os import PathLike
from pathlib import Path

from ._paths import at, each, shown

__all__ = ["ls", "cat", "touch", "mkdir", "rm", "cp", "mv", "echo"]

_Path = str | PathLike


def ls(path: _Path = "/app", all: bool = False, long: bool = False) -> list[str] | list[dict]:
    """List a directory by name, or the one file of that path.

    Names that begin with a dot are left out unless all. With long, each entry is a
    dictionary: name, path, type ("file" or "directory"), size in bytes, and
    modified, as in "2026-01-31T12:00:00".
    """
    top = at(path)
    found = [Path(entry.path) for entry in each(top)] if top.is_dir() else [top]
    found = [p for p in found if all or p == top or not p.name.startswith(".")]
    if not long:
        return [p.name for p in found]
    return [_described(p) for p in found]


def _described(path):
    about = path.stat()
    return {
        "name": path.name, "path": str(shown(path)),
        "type": "directory" if path.is_dir() else "file", "size": about.st_size,
        "modified": datetime.fromtimestamp(about.st_mtime).isoformat(timespec="seconds"),
    }


def cat(*files: _Path) -> str:
    """Return the text of files, one after the other."""
    return "".join(at(file).read_text(encoding="utf-8", errors="replace") for file in files)


def touch(file: _Path) -> Path:
    """Make an empty file, or give one that is there the present time."""
    path = at(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def mkdir(path: _Path, parents: bool = True) -> Path:
    """Make a directory; one that is there is fine. With parents, those above it too."""
    made = at(path)
    made.mkdir(parents=parents, exist_ok=True)
    return made


def rm(path: _Path, recursive: bool = False, force: bool = False) -> None:
    """Remove a file, or with recursive a directory with all that is in it.

    With force, it is no error if nothing is there.
    """
    gone = at(path)
    if not gone.exists() and not gone.is_symlink():
        if force:
            return
        raise FileNotFoundError(f"rm: there is no {str(path)!r}")
    if not gone.is_dir() or gone.is_symlink():
        gone.unlink()
    elif not recursive:
        raise IsADirectoryError(f"rm: {str(path)!r} is a directory; recursive=True removes it")
    elif gone == at("."):
        raise ValueError("rm: the workspace itself stays; name something in it")
    else:
        shutil.rmtree(gone)


def cp(src: _Path, dst: _Path, recursive: bool = False) -> Path:
    """Copy a file, into dst if that is a directory; with recursive also a directory."""
    source, target = at(src), at(dst)
    if target.is_dir():
        target = target / source.name
    if target == source or source in target.parents:
        raise ValueError(f"cp: {str(dst)!r} is {str(src)!r}, or inside it")
    if not source.is_dir():
        return Path(shutil.copy2(source, target))
    if not recursive:
        raise IsADirectoryError(f"cp: {str(src)!r} is a directory; recursive=True copies it")
    return Path(shutil.copytree(source, target, dirs_exist_ok=True))


def mv(src: _Path, dst: _Path) -> Path:
    """Move or rename a file or a directory, into dst if that is a directory."""
    return Path(shutil.move(at(src), at(dst)))


def echo(text: object, file: _Path | None = None, append: bool = False) -> str:
    """Return a text as a line; with file, write it there, or append it."""
    line = f"{text}\n"
    if file is not None:
        with at(file).open("a" if append else "w", encoding="utf-8") as out:
            out.write(line)
    return line
