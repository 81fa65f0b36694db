"""Lists of things: rows of a table, most of the time.

Where a function is asked for, the name of a column does as well: "city" stands for
the item's key of that name if it is a mapping, else for its attribute.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from itertools import batched
from typing import Any

__all__ = ["group_by", "filter_by", "map_items", "sort_by", "unique", "chunk"]

_Key = Callable[[Any], Any] | str


def _getter(key):
    if callable(key):
        return key
    if not isinstance(key, str):
        raise TypeError(f"want a function or the name of a column, got {key!r}")
    return lambda item: item[key] if isinstance(item, Mapping) else getattr(item, key)


def group_by(items: Iterable, key_func: _Key) -> dict[Hashable, list]:
    """Return the items in lists by their keys, in the order in which keys appear.

    >>> group_by([{"city": "Rome", "n": 1}, {"city": "Oslo", "n": 2}], "city")
    """
    get, groups = _getter(key_func), {}
    for item in items:
        groups.setdefault(get(item), []).append(item)
    return groups


def filter_by(items: Iterable, predicate: _Key) -> list:
    """Return the items for which a function is true."""
    return list(filter(_getter(predicate), items))


def map_items(items: Iterable, transform: _Key) -> list:
    """Return what a function makes of each item."""
    return list(map(_getter(transform), items))


def sort_by(items: Iterable, key_func: _Key, reverse: bool = False) -> list:
    """Return the items sorted by their keys; equal ones keep their order.

    None sorts before everything else.
    """
    get = _getter(key_func)

    def key(item):
        value = get(item)
        return value is not None, value

    return sorted(items, key=key, reverse=reverse)


def unique(items: Iterable, key: _Key | None = None) -> list:
    """Return the items without those that are there already, or whose key is.

    Items need not be hashable.
    """
    get = _getter(key) if key is not None else lambda item: item
    seen, others, kept = set(), [], []
    for item in items:
        value = get(item)
        try:
            new = value not in seen
            seen.add(value)
        except TypeError:
            if new := value not in others:
                others.append(value)
        if new:
            kept.append(item)
    return kept


def chunk(items: Iterable, size: int) -> Iterator[list]:
    """Yield the items in lists of a size, of which the last may be shorter."""
    return map(list, batched(items, size))
