"""Values kept as JSON in a file of the workspace.

For sessions that keep only files. One that keeps the interpreter needs none of
this: its variables are there.
"""

import json
from os import PathLike
from typing import Any

from ._paths import at

__all__ = ["save_state", "load_state", "update_state"]

_FILE = ".session_state.json"


def save_state(state: dict[str, Any], filename: str | PathLike = _FILE) -> None:
    """Keep a dictionary of what JSON can hold. What was kept before is replaced, at
    once: a call that is stopped leaves either the one or the other."""
    path = at(filename)
    text = json.dumps(state, ensure_ascii=False)
    half = path.with_name(path.name + ".new")
    half.write_text(text, encoding="utf-8")
    half.replace(path)


def load_state(filename: str | PathLike = _FILE, default: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what was kept; default, or an empty dictionary, if nothing was.

    A file that is not JSON is a ValueError that says so; save_state replaces it.
    """
    try:
        text = at(filename).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {} if default is None else default
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"load_state: {str(filename)!r} is damaged: {error}") from None


def update_state(updates: dict[str, Any], filename: str | PathLike = _FILE) -> dict[str, Any]:
    """Change some keys of what was kept, and return all of it."""
    state = load_state(filename)
    state.update(updates)
    save_state(state, filename)
    return state
