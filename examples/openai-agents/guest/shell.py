"""A shell for a place that has none: this runs inside the sandbox, for sandbox clients.

A sandbox of WebAssembly has no processes, so nothing can start a program from within.
This one reads a command line, does what it can by itself (cd, ls, cat, grep, pipes,
redirections), and when it comes to python3, node or ruby, it stops and asks its client
to run that program in the same session. The client then starts it again with what came
out. So whatever a model writes is parsed and carried out in the sandbox, within its
limits, and never on the client's side.

A request is a JSON object: "argv", "env" and, to go on, "state" and "result" (exit,
stdout and stderr in base64). The answer is a display of JSON: {"exit": N}, or {"run":
{...}, "state": [...]}, where the state is null if nothing is left to do but to pass the
program's exit code on. Of "run", "stdin" is base64, or null if it is the content of the
file .sandboxd-input, which the client deletes: JSON takes 200 times the fuel of a file.
"""

import base64
import glob
import io
import json
import os
import re
import sys

from .commands import APP, COMMANDS, Exit, slurp
from .programs import language_of, program
from .reader import Refused, parse

INPUT = f"{APP}/.sandboxd-input"
INLINE = 16 << 10
SHELLS = ("sh", "bash", "dash", "zsh")


class Program(Exception):
    """The next thing to do is a program of a runtime."""


class Nested(Exception):
    """The next thing to do is a script of its own: sh -c SCRIPT."""


class Shell:
    """One run of a script, which may have been interrupted before."""

    def __init__(self, state, outer):
        self.__dict__.update(state)  # script, args, item, command, status, env, cwd, strict
        self.pipe = b""  # what the command before wrote
        self.outer = outer  # the states of the scripts that wait for this one
        self.input = b""
        self.out, self.err = io.BytesIO(), io.BytesIO()

    def state(self):
        names = ("script", "args", "item", "command", "status", "env", "cwd", "strict")
        return {name: self.__dict__[name] for name in names}

    def run(self, result, alone):
        """Run what is left of the script; alone, nobody waits for its end but the client."""
        os.chdir(self.cwd)
        items = parse(self.script)
        while self.item < len(items):
            join, negate, commands = items[self.item]
            begun = self.command > 0 or result is not None
            if begun or not (join == "&&" and self.status or join == "||" and not self.status):
                while self.command < len(commands):
                    last = alone and self.item == len(items) - 1 and self.command == len(commands) - 1 and not negate
                    self.step(commands, result, last)
                    result = None
                    self.command += 1
                if negate:
                    self.status = int(not self.status)
                following = items[self.item + 1][0] if self.item + 1 < len(items) else ";"
                if self.strict and self.status and not negate and following != "||":
                    return self.status
            self.item, self.command, self.pipe = self.item + 1, 0, b""
        return self.status

    def step(self, commands, result, last):
        """Do one command of a pipeline, or take over what a program of it did."""
        words, redirections = commands[self.command]
        piped = self.command < len(commands) - 1
        name = "".join(piece[1] for piece in words[0] if piece[0] == "text") if words else "sandboxd"
        plan = []
        try:
            plan = [self.redirection(*redirection) for redirection in redirections]
            if result is None:
                self.input = self.source(plan)
                self.status = self.simple([field for word in words for field in self.expand(word)], words)
            else:
                self.status = result["exit"]
                self.out.write(base64.b64decode(result.get("stdout", "")))
                self.err.write(base64.b64decode(result.get("stderr", "")))
        except Nested:
            if piped or redirections:
                raise Refused("a shell within the command line can have no pipe and no redirection") from None
            raise
        except Program as program:
            try:
                self.hand_over(program.args[0], piped or any(number for number, _, _ in plan), last)
            except OSError as error:
                self.say(f"{name}: {len(self.input)} bytes of input: {error.strerror}")
                self.status = 1
        except OSError as error:
            self.say(": ".join(str(part) for part in (name, error.filename, error.strerror) if part))
            self.status = 1
        except (ValueError, re.error) as error:
            self.say(f"{name}: {error}")
            self.status = 2
        self.route(plan, piped)

    def hand_over(self, request, capture, last):
        """Ask the client to run a program. This is the end of the call."""
        request.update(stdin=base64.b64encode(self.input).decode() if len(self.input) <= INLINE else None, capture=capture)
        if request["stdin"] is None:
            with open(INPUT, "wb") as file:
                file.write(self.input)
        answer({"run": request, "state": None if last and not capture else [*self.outer, self.state()]})

    def redirection(self, number, operator, word):
        """A redirection with its file's name, its text, or the number of another stream."""
        if operator == "<<":
            return number, operator, "".join(self.value(piece) for piece in word["word"])
        if operator == "<<<":
            return number, operator, "".join(self.value(piece) for piece in word) + "\n"
        fields = self.expand(word)
        if len(fields) != 1:
            raise ValueError(f"{operator} needs one file")
        if number > 2 or operator == "<&" or operator == ">&" and fields[0] not in ("1", "2", "-"):
            raise ValueError(f"{number}{operator}{fields[0]} is not supported; there are only the streams 0, 1 and 2")
        return (number, ">", "/dev/null") if fields[0] == "-" else (number, operator, fields[0])

    def source(self, plan):
        """What a command reads as its standard input."""
        data = self.pipe
        for number, operator, target in plan:
            if number == 0:
                data = target.encode("utf-8", "surrogateescape") if operator in ("<<", "<<<") else slurp(target)
        return data

    def route(self, plan, piped):
        """Send what a command wrote to where it belongs."""
        ways = {1: "pipe" if piped else sys.stdout.buffer, 2: sys.stderr.buffer}
        written, kept = {1: self.out.getvalue(), 2: self.err.getvalue()}, b""
        self.out, self.err = io.BytesIO(), io.BytesIO()
        for number, operator, target in plan:
            if operator == ">&":
                ways[number] = ways[int(target)]
            elif target == "/dev/null" and number:
                ways[number] = io.BytesIO()
            elif number:
                try:
                    ways[number] = open(target, "ab" if operator == ">>" else "wb")
                except OSError as error:
                    ways[2].write(f"sandboxd: {target}: {error.strerror}\n".encode())
                    ways[number], self.status = io.BytesIO(), 1
        for number, data in written.items():
            if ways[number] == "pipe":
                kept += data
            else:
                ways[number].write(data)
                ways[number].flush()
        self.pipe = kept

    def value(self, piece):
        kind, text, _ = piece
        if kind == "text":
            return text
        name, default = text
        if name == "?":
            return str(self.status)
        if name == "#":
            return str(len(self.args) - 1)
        if name in "@*":
            return " ".join(self.args[1:])
        if name.isdigit():
            return self.args[int(name)] if int(name) < len(self.args) else default
        if name == "$":
            return "1"
        return self.env.get(name) or default

    def expand(self, word):
        """The fields that a word becomes: none, one or several."""
        if word and word[0][0] == "text" and not word[0][2] and word[0][1].split("/")[0] == "~":
            word = [("text", APP + word[0][1][1:], False), *word[1:]]
        if [piece for piece in word if piece[1]] == [("name", ("@", ""), True)]:
            return list(self.args[1:])
        fields, pattern, wild, some = [], "", False, False
        plain = ""
        for piece in word:
            text, quoted = self.value(piece), piece[2]
            if quoted:
                some, plain = True, plain + text
                pattern += glob.escape(text) if len(text) < 4096 else text  # no file's name is longer
                continue
            parts = [text] if piece[0] == "text" else re.split("[ \t\n]+", text)
            for index, part in enumerate(parts):
                if index and (plain or some):
                    fields.append((plain, pattern if wild else None))
                    plain, pattern, wild, some = "", "", False, False
                plain, pattern = plain + part, pattern + part
                wild = wild or any(c in "*?[" for c in part)
        if plain or some:
            fields.append((plain, pattern if wild else None))
        found = []
        for plain, pattern in fields:
            found += (sorted(glob.glob(pattern)) if pattern else []) or [plain]
        return found

    def say(self, message):
        self.err.write((message + "\n").encode("utf-8", "surrogateescape"))

    def put(self, text):
        self.out.write(text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text)

    def simple(self, fields, words):
        """Do one command. A program of another runtime is raised, not done."""
        own = {}
        count = 0
        for field, word in zip(fields, words):
            name, equals, value = field.partition("=")
            if not equals or not name.isidentifier() or word[0][2]:
                break
            own[name] = value
            count += 1
        fields = fields[count:]
        if not fields:
            self.env.update(own)
            return 0
        name, args = fields[0], fields[1:]
        command = COMMANDS.get(name)
        if command:
            return command(self, args) or 0
        environment = {**self.env, **own}
        if name.rsplit("/", 1)[-1] in SHELLS and args:
            raise Nested({**begin(fields, environment), "cwd": self.cwd})
        language = language_of(name)
        if language is None:
            self.say(unknown(name))
            return 127
        try:
            if "/" in name or name.endswith((".py", ".rb", ".js")):
                request = program(language, [name, *args], self)
            else:
                request = program(language, args, self, name)
        except FileNotFoundError as error:
            self.say(f"{name}: can't open file {error.filename!r}: no such file")
            return 2
        raise Program({**request, "env": environment})


def unknown(name):
    return (
        f"sandboxd: {name}: no such command. There is no operating system here, so programs cannot be installed or started. "
        f"These run in the sandbox: python3, node and ruby. These this shell does itself: {', '.join(sorted(COMMANDS))}. "
        "Do everything else in Python; its module sandbox_utils has helpers for files and data."
    )


def answer(what):
    sys.stdout.flush()
    display(json.dumps(what), mime="application/json")  # noqa: F821, a builtin of the sandbox's
    sys.exit(0)


def begin(argv, env):
    """The state of a script that has not begun: of "sh -c SCRIPT NAME ARGS", "sh FILE ARGS" or a plain command."""
    script, args = " ".join("'" + word.replace("'", "'\\''") + "'" for word in argv), [argv[0]]
    if argv[0].rsplit("/", 1)[-1] in SHELLS and len(argv) > 1:
        rest = argv[1:]
        while rest and re.fullmatch("-[a-z]+", rest[0]):
            flag = rest.pop(0)
            if "c" in flag and rest:
                script, args, rest = rest[0], rest[1:] or [argv[0]], []
        if rest:
            script, args = slurp(rest[0]).decode("utf-8", "replace"), rest
    return {"script": script, "args": args, "item": 0, "command": 0, "status": 0, "env": env, "cwd": APP, "strict": False}


def main(request):
    """Do what the client asks for, as far as it can be done from within."""
    result = request.get("result")
    try:
        states = request.get("state") or [begin(request["argv"], {"HOME": APP, "PWD": APP, **request["env"]})]
        while states:
            *outer, state = states
            shell = Shell(state, outer)
            try:
                result = {"exit": shell.run(result, alone=not outer)}
                states = outer
            except Exit as exit:
                result, states = {"exit": exit.args[0]}, outer
            except Nested as nested:
                result, states = None, [*outer, shell.state(), nested.args[0]]
        status = result["exit"]
    except Refused as refused:
        print(f"sandboxd: {refused}. Write what you want as a program for python3 instead.", file=sys.stderr)
        status = 2
    except OSError as error:
        print(f"sandboxd: {error.filename}: {error.strerror}", file=sys.stderr)
        status = 127
    answer({"exit": status})
