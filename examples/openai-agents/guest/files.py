"""Commands on files and directories."""

import os
import re
import shutil
import time

from .commands import APP, COMMANDS, command, options


@command("ls")
def ls(shell, args):
    flags, paths = options(args, "laA1hRtrSdF", ("all", "color="))
    paths = paths or ["."]
    status, many = 0, len(paths) > 1 or "R" in flags

    def show(name, path):
        about = os.stat(path)
        mode = "drwxr-xr-x" if os.path.isdir(path) else "-rw-r--r--"
        when = time.strftime("%b %d %H:%M", time.gmtime(about.st_mtime))
        shell.put(f"{mode} 1 app app {about.st_size:>8} {when} {name}\n" if "l" in flags else name + "\n")

    def listing(path):
        names = sorted(n for n in os.listdir(path) if n[0] != "." or flags.keys() & {"a", "A", "all"})
        if "t" in flags:
            names.sort(key=lambda n: -os.stat(os.path.join(path, n)).st_mtime)
        if "S" in flags:
            names.sort(key=lambda n: -os.stat(os.path.join(path, n)).st_size)
        if "r" in flags:
            names.reverse()
        if many:
            shell.put(f"{path}:\n")
        for name in names:
            show(name, os.path.join(path, name))
        for name in names if "R" in flags else ():
            if os.path.isdir(os.path.join(path, name)):
                shell.put("\n")
                listing(os.path.join(path, name))

    for path in paths:
        if not os.path.exists(path):
            shell.say(f"ls: {path}: No such file or directory")
            status = 2
        elif os.path.isdir(path) and "d" not in flags:
            listing(path)
        else:
            show(path, path)
    return status


@command("mkdir")
def mkdir(shell, args):
    flags, paths = options(args, "pm:v")
    for path in paths:
        if "p" in flags:
            os.makedirs(path, exist_ok=True)
        else:
            os.mkdir(path)


@command("rm", "rmdir", "unlink")
def rm(shell, args):
    flags, paths = options(args, "rRfvd")
    for path in paths:
        if not os.path.lexists(path):
            if "f" in flags:
                continue
            raise FileNotFoundError(2, "No such file or directory", path)
        if os.path.isdir(path) and (flags.keys() & {"r", "R"}):
            if os.path.abspath(path) == APP:
                raise ValueError("the workspace itself stays; name something in it")
            shutil.rmtree(path)
        elif os.path.isdir(path):
            os.rmdir(path)
        else:
            os.remove(path)


def transfer(move):
    def run(shell, args):
        flags, paths = options(args, "rRafpvnT")
        if len(paths) < 2:
            raise ValueError("give what, and where to")
        *sources, target = paths
        into = os.path.isdir(target)
        if len(sources) > 1 and not into:
            raise NotADirectoryError(20, "Not a directory", target)
        for source in sources:
            path = os.path.join(target, os.path.basename(source.rstrip("/"))) if into else target
            if "n" in flags and os.path.exists(path):
                continue
            if move:
                if os.path.isfile(path) and not os.path.samefile(source, path):
                    os.remove(path)
                os.rename(source, path)
            elif os.path.isdir(source):
                if not flags.keys() & {"r", "R", "a"}:
                    raise IsADirectoryError(21, "Is a directory, which -r copies", source)
                shutil.copytree(source, path, dirs_exist_ok=True, copy_function=shutil.copyfile)
            else:
                shutil.copyfile(source, path)

    return run


COMMANDS["cp"], COMMANDS["mv"] = transfer(False), transfer(True)


@command("touch")
def touch(shell, args):
    for path in options(args, "amc")[1]:
        with open(path, "ab"):
            pass
        os.utime(path)


@command("chmod", "chown", "chgrp")
def chmod(shell, args):
    """There are no users and no modes: the sandbox is its program's own."""
    for path in [a for a in args if a[0] != "-"][1:]:
        os.stat(path)


@command("tee")
def tee(shell, args):
    flags, files = options(args, "a")
    for path in files:
        with open(path, "ab" if "a" in flags else "wb") as file:
            file.write(shell.input)
    shell.put(shell.input)


def path_command(function):
    return lambda shell, args: shell.put("".join(function(a) + "\n" for a in args if a[0] != "-"))


COMMANDS["basename"] = path_command(lambda p: os.path.basename(p.rstrip("/")))
COMMANDS["dirname"] = path_command(lambda p: os.path.dirname(p.rstrip("/")) or ".")
COMMANDS["realpath"] = COMMANDS["readlink"] = path_command(os.path.abspath)


@command("find")
def find(shell, args):
    paths = []
    while args and args[0][0] not in "-!(":
        paths.append(args.pop(0))
    tests, depth = [], 1 << 20
    while args:
        word = args.pop(0)
        if word in ("-print", "-a"):
            continue
        if not args:
            raise ValueError(f"{word} is not supported")
        value = args.pop(0)
        if word in ("-name", "-iname", "-path"):
            from fnmatch import translate

            pattern = re.compile(translate(value), re.I if word == "-iname" else 0)
            tests.append(lambda p, r=pattern, whole=word == "-path": r.match(p if whole else os.path.basename(p)))
        elif word == "-type" and value in "fd":
            tests.append(os.path.isfile if value == "f" else os.path.isdir)
        elif word == "-maxdepth":
            depth = int(value)
        else:
            raise ValueError(f"{word} is not supported")

    def visit(path, level):
        if all(check(path) for check in tests):
            shell.put(path + "\n")
        if level < depth and os.path.isdir(path):
            for name in sorted(os.listdir(path)):
                visit(os.path.join(path, name), level + 1)

    for path in paths or ["."]:
        os.stat(path)
        visit(path, 0)


@command("du")
def du(shell, args):
    flags, paths = options(args, "sh")
    for path in paths or ["."]:
        shell.put(f"{sum(os.path.getsize(f) for f in files_below(path))}\t{path}\n")


def files_below(path):
    if not os.path.isdir(path):
        return [path]
    return [f for name in sorted(os.listdir(path)) if name[0] != "." for f in files_below(os.path.join(path, name))]
