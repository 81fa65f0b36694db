import json
from pathlib import Path
from sandbox_utils import csv_to_json, dict_to_xml, echo, json_to_csv, json_to_yaml, xml_to_dict, yaml_to_json

table = 'name,said\n"Ada, C.","line\nbreak ""q"""\nGrace,\n'
want = [{"name": "Ada, C.", "said": 'line\nbreak "q"'}, {"name": "Grace", "said": ""}]
assert json.loads(csv_to_json(table)) == want
Path("t.csv").write_text("\N{BYTE ORDER MARK}" + table)
assert json.loads(csv_to_json("t.csv", "t.json")) == want == json.loads(Path("t.json").read_text())
assert json_to_csv("t.json", "back.csv") == table == Path("back.csv").read_text()
assert json.loads(csv_to_json("a;b\n1;2\n")) == [{"a": "1", "b": "2"}] == json.loads(csv_to_json("a|b\n1|2\n", delimiter="|"))
assert json.loads(csv_to_json("a,b\n1\n\n")) == [{"a": "1", "b": None}]
assert csv_to_json("a,b\n") == "[]"
for broken in "a,b\n1,2,3\n", 'a,b\n"1,2\n':
    try:
        csv_to_json(broken)
        raise AssertionError(f"{broken!r} was read")
    except (ValueError, __import__("csv").Error):
        pass
assert json_to_csv([{"a": 1, "b": None}, {"c": [1, 2], "a": True}]) == 'a,b,c\n1,,\ntrue,,"[1, 2]"\n'
assert json_to_csv('{"a": "x"}') == "a\nx\n"
try:
    json_to_csv("[1]")
    raise AssertionError("1 is no row")
except ValueError as error:
    assert "list of objects" in str(error)

document = '<list kind="x"><item>1</item><item>2</item><none/><deep a="b">text<c>d</c></deep></list>'
tree = xml_to_dict(document)
assert tree == {"list": {
    "@kind": "x", "item": ["1", "2"], "none": None, "deep": {"@a": "b", "c": "d", "#text": "text"},
}}, tree
assert xml_to_dict(dict_to_xml(tree)) == tree
try:
    dict_to_xml({"a": 1, "b": 2})
    raise AssertionError("two roots")
except ValueError:
    pass

for needing in lambda: yaml_to_json("a: 1"), lambda: json_to_yaml("{}"):
    try:
        needing()
    except ModuleNotFoundError as error:
        assert error.name == "yaml" and "pyyaml" in str(error)
