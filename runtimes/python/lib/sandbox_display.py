"""Show things to whoever called: text, tables, charts and pictures.

    display(chart)
    display({"rows": 3})
    display("<b>bold</b>", mime="text/html")
    display(Path("plot.png"))
    artifact("report.xlsx", title="The report")

Both are there without an import, as in a notebook. What is shown is beside the
output, in the result of the call, in the forms that the object has: as text, and as
JSON, HTML, Markdown, SVG, PNG, JPEG or GIF.
"""

import builtins
import json
import posix
from base64 import b64encode
from os import PathLike
from pathlib import Path, PurePath

__all__ = ["artifact", "display"]

_FILE = "/.sandboxd/display"
_METHODS = {
    "_repr_svg_": "image/svg+xml", "_repr_html_": "text/html", "_repr_markdown_": "text/markdown",
    "_repr_json_": "application/json", "_repr_png_": "image/png", "_repr_jpeg_": "image/jpeg",
}
_FILES = {
    ".svg": "image/svg+xml", ".html": "text/html", ".md": "text/markdown", ".json": "application/json",
    ".txt": "text/plain", ".csv": "text/plain", ".png": "image/png", ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg", ".gif": "image/gif",
}
_KINDS = sorted({*_METHODS.values(), *_FILES.values()})


def display(*objects: object, mime: str | None = None) -> None:
    """Show objects to the caller.

    An object is shown in the forms for which it has a method as notebooks know them
    (_repr_html_, _repr_svg_, _repr_png_ and so on), as JSON where it has such a form,
    and as text. A path shows the file. With mime, an object is text or bytes of that
    type. A call may show 100 things of 8 MiB together; more is an OSError.
    """
    for thing in objects:
        if mime is not None:
            bundle = {_known(mime): _encoded(thing)}
        elif isinstance(thing, PurePath):
            bundle = _file(thing)
        else:
            bundle = _bundle(thing)
        _tell("display", bundle)


def artifact(path: str | PathLike, title: str = "") -> None:
    """Declare a file as a result of the program's, for the caller to fetch.

    A relative path means the workspace; a file that is not there is an error.
    """
    file = Path("/app") / path
    if not file.is_file():
        raise FileNotFoundError(f"artifact: there is no file {str(path)!r}")
    _tell("artifact", {"path": str(file), "title": title})


def _known(mime):
    if mime not in _KINDS:
        raise ValueError(f"display: {mime!r} cannot be shown; these can: {', '.join(_KINDS)}")
    return mime


def _encoded(content):
    """Content as a bundle has it: text as it is, bytes in base64."""
    if isinstance(content, str):
        return content
    if isinstance(content, (bytes, bytearray, memoryview)):
        return b64encode(content).decode()
    return json.dumps(content, ensure_ascii=False)


def _file(path):
    mime = _FILES.get(path.suffix.lower())
    if mime is None:
        raise ValueError(f"display: {str(path)!r} cannot be shown; files that can end in {', '.join(_FILES)}")
    with open(path, "rb") as file:
        content = file.read()
    return {mime: _encoded(content if mime.startswith("image/") and mime != "image/svg+xml" else content.decode())}


def _bundle(thing, text=str):
    """An object in the forms that it has; text makes its plain one of a str."""
    bundle = {}
    for name, mime in _METHODS.items():
        method = getattr(type(thing), name, None)
        if method is not None and (content := method(thing)) is not None:
            bundle[mime] = _encoded(content)
    if "application/json" not in bundle:
        try:
            bundle["application/json"] = json.dumps(thing, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            pass
    bundle["text/plain"] = text(thing) if isinstance(thing, str) else repr(thing)
    return bundle


def show_value(thing):
    """Tell the caller what the program's last expression came to."""
    if thing is not None:
        _tell("value", _bundle(thing, repr))


def _tell(what, bundle):
    text = json.dumps({what: bundle}, ensure_ascii=False).encode("utf-8", "replace")
    descriptor = posix.open(_FILE, posix.O_WRONLY)
    try:
        posix.write(descriptor, text)
    except OSError as error:
        raise OSError(error.errno, "display: this call has shown as much as it may, 8 MiB") from None
    finally:
        posix.close(descriptor)


builtins.display, builtins.artifact = display, artifact
