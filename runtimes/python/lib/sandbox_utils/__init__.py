"""Files, text, data and formats in one call each.

    from sandbox_utils import find, grep, csv_to_json, group_by

Relative paths mean the workspace, /app. ``help(sandbox_utils.grep)`` and the like
say what each function takes and returns. There are six groups of them, which are
modules too: files, text, data, formats, shell and state.
"""

from .data import chunk, filter_by, group_by, map_items, sort_by, unique
from .files import copy_tree, find, remove_tree, tree, walk
from .formats import (
    csv_to_json, dict_to_xml, json_to_csv, json_to_yaml, xml_to_dict, yaml_to_json,
)
from .shell import cat, cp, echo, ls, mkdir, mv, rm, touch
from .state import load_state, save_state, update_state
from .text import diff, grep, head, sed, tail, wc

__all__ = [
    "cat", "chunk", "copy_tree", "cp", "csv_to_json", "dict_to_xml", "diff", "echo",
    "filter_by", "find", "grep", "group_by", "head", "json_to_csv", "json_to_yaml",
    "load_state", "ls", "map_items", "mkdir", "mv", "remove_tree", "rm", "save_state",
    "sed", "sort_by", "tail", "touch", "tree", "unique", "update_state", "walk", "wc",
    "xml_to_dict", "yaml_to_json",
]
