"""What the other modules think of paths."""

from pathlib import Path

WORKSPACE = Path("/app")


def at(path):
    """The path that a caller means: relative ones are below the workspace."""
    return WORKSPACE / path


def shown(path):
    """A path as callers wrote it: relative where it is in the workspace."""
    try:
        return path.relative_to(WORKSPACE)
    except ValueError:
        return path


def each(path):
    """The entries of a directory, by name, directories told from links to them."""
    import os

    with os.scandir(path) as entries:
        return sorted(entries, key=lambda entry: entry.name)
