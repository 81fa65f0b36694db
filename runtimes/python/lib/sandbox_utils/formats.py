"""From one format to another.

Where a file is asked for, its path or its text may be given: what holds a line
break, or begins as JSON, is text. YAML needs the package pyyaml.
"""

import csv
import io
import json
from os import PathLike
from typing import Any
from xml.etree import ElementTree

from ._paths import at

__all__ = ["csv_to_json", "json_to_csv", "yaml_to_json", "json_to_yaml", "xml_to_dict", "dict_to_xml"]

_BOM = "\N{BYTE ORDER MARK}"


def _reader(file):
    if isinstance(file, str) and ("\n" in file or file.lstrip()[:1] in ("[", "{")):
        return io.StringIO(file, newline="")
    return at(file).open(encoding="utf-8", newline="")


def _written(text, output):
    if output is not None:
        at(output).write_text(text, encoding="utf-8")
    return text


def csv_to_json(csv_file: str | PathLike, output: str | PathLike | None = None, *,
                delimiter: str | None = None, indent: int | None = 2) -> str:
    """Return a table in CSV, whose first line names the columns, as JSON: a list of
    objects. Values stay text. With output, it is written to that file as well.

    Without a delimiter, the first line tells whether it is a comma, a semicolon or
    a tab. Cells that a row lacks are null; cells beyond the columns are an error.
    """
    with _reader(csv_file) as file:
        first = file.readline().removeprefix(_BOM)
        delimiter = delimiter or max(",;\t", key=first.count)
        names = next(csv.reader([first], delimiter=delimiter), [])
        rows = []
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        for row in reader:
            if not row:
                continue
            if len(row) > len(names):
                raise ValueError(f"csv_to_json: line {reader.line_num + 1} has {len(row)} cells, and there are {len(names)} columns")
            rows.append(dict(zip(names, row + [None] * (len(names) - len(row)))))
    return _written(json.dumps(rows, indent=indent, ensure_ascii=False), output)


def json_to_csv(json_file: str | PathLike | list, output: str | PathLike | None = None, *, delimiter: str = ",") -> str:
    """Return a list of JSON objects as a table in CSV, with all their keys as columns.

    json_file is a path, a text or the list itself. null is an empty cell; lists and
    objects are written as JSON. With output, it is written to that file as well.
    """
    if isinstance(json_file, list):
        rows = json_file
    else:
        with _reader(json_file) as file:
            rows = json.loads(file.read().removeprefix(_BOM))
    if isinstance(rows, dict):
        rows = [rows]
    for row in rows:
        if not isinstance(row, dict):
            raise ValueError(f"json_to_csv: want a list of objects, and there is {row!r:.60} in it")
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return _written(text.getvalue(), output)


def _cell(value):
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _yaml():
    try:
        import yaml
    except ModuleNotFoundError:
        raise ModuleNotFoundError("YAML needs the package pyyaml, which this sandbox does not have", name="yaml") from None
    return yaml


def yaml_to_json(yaml_str: str, indent: int | None = 2) -> str:
    """Return a YAML document as JSON. Dates become text, as JSON has none."""
    return json.dumps(_yaml().safe_load(yaml_str), indent=indent, ensure_ascii=False, default=str)


def json_to_yaml(json_str: str) -> str:
    """Return a JSON document as YAML, its keys in their order."""
    return _yaml().safe_dump(json.loads(json_str), sort_keys=False, allow_unicode=True)


def xml_to_dict(xml_str: str) -> dict[str, Any]:
    """Return an XML document as a dictionary of its root's name.

    An element with neither attributes nor children is its text, None if empty. Any
    other is a dictionary: attributes are under "@name", text is under "#text", and
    children are under their names, in a list where several share one.
    """
    root = ElementTree.fromstring(xml_str)
    return {root.tag: _element(root)}


def _element(element):
    value = {f"@{name}": text for name, text in element.items()}
    for child in element:
        known = child.tag in value
        of = _element(child)
        if not known:
            value[child.tag] = of
        elif isinstance(value[child.tag], list):
            value[child.tag].append(of)
        else:
            value[child.tag] = [value[child.tag], of]
    text = (element.text or "").strip()
    if not value:
        return text or None
    if text:
        value["#text"] = text
    return value


def dict_to_xml(data: dict[str, Any]) -> str:
    """Return the XML document of which :func:`xml_to_dict` makes such a dictionary."""
    if len(data) != 1:
        raise ValueError(f"dict_to_xml: a document has one root, and there are {len(data)}: {list(data)!r:.80}")
    [(name, value)] = data.items()
    root = _build(ElementTree.Element(name), value)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode")


def _build(element, value):
    if not isinstance(value, dict):
        element.text = _text(value)
        return element
    for name, part in value.items():
        if name == "#text":
            element.text = _text(part)
        elif name.startswith("@"):
            element.set(name[1:], _text(part) or "")
        else:
            for one in part if isinstance(part, list) else [part]:
                _build(ElementTree.SubElement(element, name), one)
    return element


def _text(value):
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
