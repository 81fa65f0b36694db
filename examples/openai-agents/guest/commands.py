"""The commands that the shell does itself: a registry, and those that are about the shell."""

import os
import re
import time

from .reader import escapes

APP = "/app"

COMMANDS = {}


class Exit(Exception):
    """The command line ends here, with a code."""


def command(*names):
    def register(function):
        for name in names:
            COMMANDS[name] = function
        return function

    return register


def slurp(path):
    if path == "/dev/null":
        return b""
    with open(path, "rb") as file:
        return file.read()


def inputs(shell, files):
    """The contents of files, or of standard input, with their names."""
    if not files:
        return [("-", shell.input)]
    return [(name, shell.input if name == "-" else slurp(name)) for name in files]


def lines_of(data):
    return data.decode("utf-8", "surrogateescape").splitlines(keepends=True)


def options(args, short, long=()):
    """Options and what is left of arguments, as getopt has it; importing that takes more fuel than all of this.

    Of an option that comes again, the values are joined by a new line.
    """
    found, rest, args = {}, [], list(args)
    while args:
        arg = args.pop(0)
        if arg == "--":
            rest += args
            break
        if arg.startswith("--"):
            name, equals, value = arg[2:].partition("=")
            takes = name + "=" in long
            if not takes and (equals or name not in long):
                raise ValueError(f"{arg} is not supported")
            found[name] = value if equals or not takes else args.pop(0) if args else ""
            continue
        if arg[:1] != "-" or arg == "-":
            rest.append(arg)
            continue
        letters = arg[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            at = short.find(letter)
            if at < 0 or letter == ":":
                raise ValueError(f"-{letter} is not supported")
            if short[at + 1 : at + 2] != ":":
                found[letter] = ""
                continue
            value, letters = letters or (args.pop(0) if args else ""), ""
            found[letter] = f"{found[letter]}\n{value}" if letter in found else value
    return found, rest


@command("cd")
def cd(shell, args):
    path = [a for a in args if a != "--"][:1] or [APP]
    os.chdir(path[0])
    shell.cwd = os.path.normpath(os.path.join(shell.cwd, path[0]))
    shell.env["PWD"] = shell.cwd


@command("pwd")
def pwd(shell, args):
    shell.put(shell.cwd + "\n")


@command("echo")
def echo(shell, args):
    flags = ""
    while args and re.fullmatch("-[neE]+", args[0]):
        flags += args.pop(0)
    text = " ".join(args)
    shell.put((escapes(text) if "e" in flags else text) + ("" if "n" in flags else "\n"))


@command("printf")
def printf(shell, args):
    if not args:
        raise ValueError("there is no format")
    form, values = escapes(args[0]), args[1:]
    wanted = len(re.findall(r"%(?!%)", form))
    while True:
        taken, values = values[:wanted], values[wanted:]
        taken += [""] * (wanted - len(taken))
        kinds = re.findall(r"%[-+ 0#]*\d*(?:\.\d+)?([a-zA-Z])", form.replace("%%", ""))
        converted = [int(v or 0) if k in "dixXo" else float(v or 0) if k in "eEfFgG" else v for k, v in zip(kinds, taken)]
        shell.put(form % tuple(converted))
        if not values or not wanted:
            return


@command("true", ":")
def true(shell, args):
    return 0


@command("false")
def false(shell, args):
    return 1


@command("exit")
def leave(shell, args):
    raise Exit(int(args[0]) & 255 if args else shell.status)


@command("set")
def settings(shell, args):
    for arg in args:
        if re.fullmatch("-[a-z]*e[a-z]*", arg):
            shell.strict = True
        elif re.fullmatch(r"\+[a-z]*e[a-z]*", arg):
            shell.strict = False


@command("export")
def export(shell, args):
    for arg in args:
        name, equals, value = arg.partition("=")
        if equals:
            shell.env[name] = value


@command("unset")
def unset(shell, args):
    for arg in args:
        shell.env.pop(arg, None)


@command("env", "printenv")
def env(shell, args):
    if args:
        shell.put("".join(shell.env[a] + "\n" for a in args if a in shell.env))
        return int(any(a not in shell.env for a in args))
    shell.put("".join(f"{name}={value}\n" for name, value in sorted(shell.env.items())))


@command("sleep")
def sleep(shell, args):
    time.sleep(sum(float(a.rstrip("s")) for a in args))


@command("date")
def date(shell, args):
    form = next((a[1:] for a in args if a[0] == "+"), "%a %b %e %H:%M:%S UTC %Y")
    shell.put(time.strftime(form, time.gmtime()) + "\n")


@command("test", "[")
def test(shell, args):
    if args and args[-1] == "]":
        args = args[:-1]
    for word in "-o", "-a":
        if word in args:
            at = args.index(word)
            left, right = test(shell, args[:at]) == 0, test(shell, args[at + 1 :]) == 0
            return int(not (left or right if word == "-o" else left and right))
    if args and args[0] == "!":
        return 1 - test(shell, args[1:])
    if len(args) < 2:
        return int(not (args and args[0]))
    if len(args) == 2:
        checks = {
            "-e": os.path.exists, "-f": os.path.isfile, "-d": os.path.isdir, "-r": os.path.exists, "-w": os.path.exists,
            "-x": os.path.exists, "-L": os.path.islink, "-h": os.path.islink, "-n": bool, "-z": lambda text: not text,
            "-s": lambda path: os.path.exists(path) and os.path.getsize(path) > 0,
        }
        if args[0] not in checks:
            raise ValueError(f"{args[0]} is not supported")
        return int(not checks[args[0]](args[1]))
    left, operator, right = args[:3]
    if operator == "-ef":
        return int(not (os.path.exists(left) and os.path.exists(right) and os.path.samefile(left, right)))
    if operator in ("=", "==", "!="):
        return int((left == right) == (operator == "!="))
    order = (int(left) > int(right)) - (int(left) < int(right))
    wanted = {"-eq": (0,), "-ne": (-1, 1), "-lt": (-1,), "-le": (-1, 0), "-gt": (1,), "-ge": (0, 1)}
    if operator not in wanted:
        raise ValueError(f"{operator} is not supported")
    return int(order not in wanted[operator])
