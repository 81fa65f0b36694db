from pathlib import Path
from sandbox_charts import bar
from sandbox_display import display as same

assert same is display


class Table:
    def _repr_html_(self):
        return "<table></table>"

    def __repr__(self):
        return "Table()"


display(Table(), {"a": [1, None]}, "text", object)
display("<b>x</b>", mime="text/html")
display(b"\x89PNG\r\n\x1a\n...", mime="image/png")
display(bar(["a"], [1]))
Path("t.md").write_text("# ä")
display(Path("t.md"))
for wrong in lambda: display(1, mime="video/mp4"), lambda: display(Path("t.exe")):
    try:
        wrong()
        raise AssertionError("it was shown")
    except ValueError as error:
        assert "image/png" in str(error) or ".png" in str(error)

artifact("t.md", title="Text")
try:
    artifact("nothing")
    raise AssertionError("it is not there")
except FileNotFoundError:
    pass
