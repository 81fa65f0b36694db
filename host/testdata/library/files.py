from pathlib import Path
from sandbox_utils import copy_tree, echo, find, mkdir, remove_tree, tree, walk

mkdir("data/old")
for name in "data/b.csv", "data/a.csv", "data/old/c.csv", "data/old/note.txt":
    echo(name, name)

assert [p.name for p in find("*.csv")] == ["a.csv", "b.csv", "c.csv"]
assert find("*.csv", "data", recursive=False) == [Path("/app/data/a.csv"), Path("/app/data/b.csv")]
assert find("data/**/*.txt") == [Path("/app/data/old/note.txt")]
assert find("nothing*") == []
assert [p.name for p in walk("data")] == ["a.csv", "b.csv", "old", "c.csv", "note.txt"]
assert [p.name for p in walk("data", lambda p: p.suffix == ".txt")] == ["note.txt"]
assert tree() == """\
/app/
└── data/
    ├── a.csv
    ├── b.csv
    └── old/
        ├── c.csv
        └── note.txt"""
assert tree("data", max_depth=1) == "data/\n├── a.csv\n├── b.csv\n└── old/"

assert copy_tree("data", "copy") == Path("/app/copy")
assert Path("copy/old/c.csv").read_text() == "data/old/c.csv\n"
copy_tree("data", "copy")  # over what is there
try:
    copy_tree("data", "data/inside")
    raise AssertionError("a directory was copied into itself")
except ValueError:
    pass
assert remove_tree("copy", "*.csv") == 3
assert [p.name for p in walk("copy")] == ["old", "note.txt"]
assert remove_tree("copy") == 1 and not Path("copy").exists()
try:
    remove_tree("/app")
    raise AssertionError("the workspace was removed")
except ValueError:
    pass
try:
    find("*", "missing")
    raise AssertionError("a missing directory was searched")
except FileNotFoundError as error:
    assert "missing" in str(error)
