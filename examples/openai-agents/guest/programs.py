"""Programs of the runtimes, as command lines name them."""

import json
import os
import re

from .commands import APP, COMMANDS, command, slurp


LANGUAGES = {".py": "python", ".js": "javascript", ".mjs": "javascript", ".ts": "javascript", ".rb": "ruby"}


def language_of(name):
    base = name.rsplit("/", 1)[-1]
    if re.fullmatch(r"python(3(\.\d+)?)?", base):
        return "python"
    if base in ("node", "nodejs", "qjs"):
        return "javascript"
    if base == "ruby":
        return "ruby"
    if "/" in name and os.path.isfile(name):
        with open(name, "rb") as file:
            first = file.readline(200).decode("utf-8", "replace")
        for word, language in (("python", "python"), ("node", "javascript"), ("ruby", "ruby")):
            if first.startswith("#!") and word in first:
                return language
        return LANGUAGES.get(os.path.splitext(name)[1])
    return None


VERSIONS = {
    "python": 'import platform; print("Python", platform.python_version())',
    "javascript": "console.log(process.version)",
    "ruby": 'puts "ruby #{RUBY_VERSION}"',
}
CODE_FLAGS = {"python": ("-c",), "javascript": ("-e", "--eval", "-p", "--print"), "ruby": ("-e",)}
VALUE_FLAGS = {"python": ("-W", "-X"), "javascript": ("-r", "--require"), "ruby": ("-I", "-r")}


def program(language, args, shell, command=None):
    """What the client is to run, from the arguments of an interpreter."""
    args, code, filename, before = list(args), None, "<string>", ""
    while args and command:
        first = args[0]
        if first in ("--version", "-V", "-v"):
            return {"language": language, "code": VERSIONS[language], "filename": filename, "args": []}
        if len(args) < 2 and first in (*CODE_FLAGS[language], *VALUE_FLAGS[language], "-m"):
            raise ValueError(f"there is nothing after {first}")
        if first in CODE_FLAGS[language]:
            text = f"console.log({args[1]})" if first in ("-p", "--print") else args[1]
            code = text if code is None else code + "\n" + text
            del args[:2]
            if language == "python":
                break
        elif first == "-m" and language == "python":
            code = f"import runpy; runpy.run_module({args[1]!r}, run_name='__main__', alter_sys=True)"
            del args[:2]
            break
        elif first in VALUE_FLAGS[language]:
            if language == "ruby" and first == "-r":
                before += f"require {json.dumps(args[1])}; "
            del args[:2]
        elif first[:1] == "-" and first != "-":
            del args[:1]
        else:
            break
    if code is None and args and args[0] != "-":
        filename = args.pop(0)
        code = slurp(filename).decode("utf-8", "replace")
    elif code is None:
        del args[:1]
        code, filename, shell.input = shell.input.decode("utf-8", "replace"), "<stdin>", b""
    filename, code = prepare(language, code, filename, before, shell.cwd)
    if filename.endswith((".ts", ".mts", ".cts")):
        language = "typescript"
    return {"language": language, "code": code, "filename": filename, "args": args}


def prepare(language, code, filename, before, cwd):
    """The name and text of a program that begins where the shell is. By itself it would begin in /app."""
    named = filename[0] != "<"
    path = os.path.normpath(os.path.join(cwd, filename if named else "eval.js"))
    if language == "python":
        directory = os.path.dirname(path) if named else cwd
        if cwd == APP and directory == APP:
            return filename, code
        text = f"open({filename!r}).read()" if named else repr(code)
        start = f"import os, sys; os.chdir({cwd!r}); sys.path[0] = {directory!r}; sys.argv[0] = __file__ = {filename!r}; "
        return "<shell>", start + f"exec(compile({text}, __file__, 'exec', dont_inherit=True))"
    if language == "javascript":
        # A line "#!" may only be the first one.
        start = "" if cwd == APP else f"process.chdir({json.dumps(cwd)});" + ("//" if code.startswith("#!") else " ")
        return path, start + code
    return path if named else filename, ("" if cwd == APP else f"Dir.chdir({json.dumps(cwd)}); ") + before + code


@command("which", "command", "type")
def which(shell, args):
    status = 0
    for name in (a for a in args if a[0] != "-"):
        if name in COMMANDS or language_of(name):
            shell.put(name + "\n")
        else:
            status = 1
    return status
