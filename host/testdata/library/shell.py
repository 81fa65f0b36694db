from pathlib import Path
from sandbox_utils import cat, cp, echo, ls, mkdir, mv, rm, touch

assert echo("hi") == "hi\n" and not ls()
echo("one", "a.txt")
echo("two", "a.txt", append=True)
assert cat("a.txt", "a.txt") == "one\ntwo\n" * 2
assert touch("deep/er/b.txt").stat().st_size == 0
mkdir("deep")  # it is there
touch(".hidden")
assert ls() == ["a.txt", "deep"] and ls(all=True) == [".hidden", "a.txt", "deep"]
about = ls(long=True)
assert [(e["name"], e["path"], e["type"], e["size"]) for e in about] == [("a.txt", "a.txt", "file", 8), ("deep", "deep", "directory", about[1]["size"])]
assert len(about[0]["modified"]) == len("2026-01-31T12:00:00")
assert ls("a.txt") == ["a.txt"]

assert cp("a.txt", "deep") == Path("/app/deep/a.txt")
cp("deep", "copy", recursive=True)
assert ls("copy") == ["a.txt", "er"]
assert mv("copy/a.txt", "c.txt") == Path("/app/c.txt") and not Path("copy/a.txt").exists()
rm("c.txt")
rm("c.txt", force=True)
rm("copy", recursive=True)
assert ls() == ["a.txt", "deep"]


def fails(kind, do, *args, **named):
    try:
        do(*args, **named)
    except kind:
        return
    raise AssertionError(f"{do.__name__}{args} did not fail")


fails(FileNotFoundError, rm, "c.txt")
fails(IsADirectoryError, rm, "deep")
fails(ValueError, rm, "/app", recursive=True)
fails(IsADirectoryError, cp, "deep", "x")
fails(ValueError, cp, "deep", "deep/er", recursive=True)
fails(FileNotFoundError, cat, "missing")
fails(FileNotFoundError, mkdir, "no/parents", parents=False)
fails(OSError, echo, "x", "/outside.txt")
