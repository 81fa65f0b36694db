"""Command lines, taken to pieces.

A word is a list of pieces: kind ("text" or "name"), text, and whether it was quoted,
which keeps it from being split and globbed.
"""

import re

KEYWORDS = {"if", "then", "else", "fi", "for", "while", "until", "do", "done", "case", "esac", "function", "select", "{", "}", "[["}
SPECIAL = "?#@*$"
# Runs of characters that mean themselves: one by one they would take 20,000 of fuel each.
PLAIN = re.compile(r"""[^\s\\'"$`|&;<>()]+""")
QUOTED = re.compile(r"""[^\\"$`]+""")
OPERATORS = ("<<<", "<<-", "&>>", ">>", ">|", ">&", "<<", "<&", "&>", "&&", "||", "|&", ";;", ">", "<", "|", ";", "&", "(", ")")


class Refused(Exception):
    """The command line needs what this shell does not have."""


class Reader:
    """Takes a script to pieces."""

    def __init__(self, text):
        self.text, self.at, self.documents = text, 0, []

    def tokens(self):
        text, found = self.text, []
        while self.at < len(text):
            char = text[self.at]
            if char in " \t\r":
                self.at += 1
            elif text.startswith("\\\n", self.at):
                self.at += 2
            elif char == "#":
                end = text.find("\n", self.at)
                self.at = len(text) if end < 0 else end
            elif char == "\n":
                self.at += 1
                found.append(("op", "\n"))
                self.read_documents()
            elif operator := self.operator():
                self.at += len(operator)
                found.append(("op", operator))
                if operator.lstrip("0123456789") in ("<<", "<<-"):
                    found.append(("document", self.document(operator.endswith("-"))))
            else:
                found.append(("word", self.word()))
        if self.documents:
            self.read_documents()
        return found

    def operator(self):
        """The operator that is here, with the number that a redirection may have, or ""."""
        start = self.at
        while self.text[start : start + 1].isdigit():
            start += 1
        for operator in OPERATORS:
            if self.text.startswith(operator, start) and (start == self.at or operator[0] in "<>"):
                return self.text[self.at : start] + operator
        return ""

    def document(self, strip):
        while self.text[self.at : self.at + 1] in (" ", "\t"):
            self.at += 1
        word = self.word()
        document = {"end": "".join(piece[1] for piece in word), "raw": any(piece[2] for piece in word), "strip": strip}
        self.documents.append(document)
        return document

    def read_documents(self):
        for document in self.documents:
            lines = []
            while True:
                if self.at >= len(self.text):
                    raise Refused(f"the here-document has no line {document['end']!r} at its end")
                end = self.text.find("\n", self.at)
                end = len(self.text) if end < 0 else end
                line = self.text[self.at : end]
                self.at = end + 1
                line = line.lstrip("\t") if document["strip"] else line
                if line == document["end"]:
                    break
                lines.append(line + "\n")
            body = "".join(lines)
            document["word"] = [("text", body, True)] if document["raw"] else Reader(body).quoted(None)
        self.documents = []

    def word(self):
        text, pieces = self.text, []
        while self.at < len(text) and text[self.at] not in " \t\r\n|&;<>()":
            char = text[self.at]
            if char == "\\":
                if text[self.at + 1 : self.at + 2] != "\n":
                    pieces.append(("text", text[self.at + 1 : self.at + 2], True))
                self.at += 2
            elif char == "'" or text.startswith("$'", self.at):
                start = self.at + (1 if char == "'" else 2)
                end = text.find("'", start)
                if end < 0:
                    raise Refused("a quote ' is not closed")
                inside = text[start:end]
                pieces.append(("text", inside if char == "'" else escapes(inside), True))
                self.at = end + 1
            elif char == '"':
                self.at += 1
                pieces += self.quoted('"')
            elif char in "$`":
                pieces.append(self.name(False))
            else:
                run = PLAIN.match(text, self.at)
                pieces.append(("text", run[0] if run else char, False))
                self.at += len(pieces[-1][1])
        return pieces

    def quoted(self, end):
        """What is within double quotes, or a here-document."""
        text, pieces = self.text, [("text", "", True)]
        while True:
            if self.at >= len(text):
                if end is None:
                    return pieces
                raise Refused('a quote " is not closed')
            char = text[self.at]
            if char == end:
                self.at += 1
                return pieces
            if char == "\\" and text[self.at + 1 : self.at + 2] in ("$", "`", '"', "\\", "\n"):
                if text[self.at + 1] != "\n":
                    pieces.append(("text", text[self.at + 1], True))
                self.at += 2
            elif char in "$`":
                pieces.append(self.name(True))
            else:
                run = QUOTED.match(text, self.at)
                pieces.append(("text", run[0] if run else char, True))
                self.at += len(pieces[-1][1])

    def name(self, quoted):
        if self.text[self.at] == "`" or self.text.startswith("$(", self.at):
            raise Refused("commands and sums inside of words, $(...), are not supported")
        start, rest = self.at + 1, self.text[self.at + 1 : self.at + 2]
        if rest == "{":
            name, closed, _ = self.text[start + 1 :].partition("}")
            name, _, default = name.partition(":-")
            if not closed or not (name.isidentifier() or name.isdigit() or name in SPECIAL):
                raise Refused("of ${...}, only ${NAME} and ${NAME:-default} are supported")
            self.at = self.text.index("}", start) + 1
            return ("name", (name, default), quoted)
        if rest and (rest in SPECIAL or rest.isdigit()):
            self.at += 2
            return ("name", (rest, ""), quoted)
        end = start
        while self.text[end : end + 1] and self.text[start : end + 1].isidentifier():
            end += 1
        if end > start:
            self.at = end
            return ("name", (self.text[start:end], ""), quoted)
        self.at += 1
        return ("text", "$", quoted)


def escapes(text):
    """Backslash escapes, as printf and echo -e know them."""
    table = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}
    return re.sub(
        r"\\(x[0-9A-Fa-f]{1,2}|.)",
        lambda m: chr(int(m[1][1:], 16)) if m[1][0] == "x" and m[1][1:] else table.get(m[1], m[1] if m[1] in "\\'\"" else m[0]),
        text,
    )


def parse(text):
    """A script as a list of pipelines, each with what joins it to the one before."""
    items, commands, join, negate = [], [], ";", False
    words, redirections = [], []

    def end_command():
        nonlocal words, redirections
        if words or redirections:
            first = "".join(text if kind == "text" and not quoted else "$" for kind, text, quoted in (words or [[]])[0])
            if first in KEYWORDS:
                raise Refused(f"{first!r} is not supported: there are only commands with |, &&, || and ;, no loops, conditions and functions")
            commands.append((words, redirections))
            words, redirections = [], []
            return True
        return False

    tokens = Reader(text).tokens()
    position = 0
    while position < len(tokens):
        kind, value = tokens[position]
        position += 1
        if kind == "word":
            if not words and not commands and value == [("text", "!", False)]:
                negate = True
            else:
                words.append(value)
        elif value in ("|", "|&"):
            if value == "|&":
                redirections.append((2, ">&", [("text", "1", False)]))
            if not end_command():
                raise Refused("there is no command before |")
        elif value in (";", "\n", "&&", "||"):
            ended = end_command()
            if value == "\n" and not ended and (not commands or tokens[position - 2] == ("op", "|")):
                continue  # an empty line, or one that goes on
            if not ended:
                raise Refused(f"there is no command before {value}" if value != "\n" else "there is no command after |")
            items.append((join, negate, commands))
            commands, negate = [], False
            join = ";" if value == "\n" else value
        elif value == "&":
            raise Refused("nothing can run in the background: there is no &")
        elif value in ("(", ")", ";;"):
            raise Refused(f"{value} is not supported: there are no subshells and functions")
        else:
            if position == len(tokens) or tokens[position][0] == "op":
                raise Refused(f"there is no file after {value}")
            target = tokens[position][1]
            position += 1
            digits = value.rstrip("<>&|-")
            operator = value[len(digits) :] if digits.isdigit() else value
            number = int(digits) if digits.isdigit() else 0 if operator[0] == "<" else 1
            if operator in ("<<", "<<-"):
                redirections.append((number, "<<", target))  # its text is known when the line has ended
            elif operator in ("&>", "&>>"):
                redirections.append((1, operator[1:], target))
                redirections.append((2, ">&", [("text", "1", False)]))
            else:
                redirections.append((number, operator, target))
    if end_command():
        items.append((join, negate, commands))
    elif commands:
        raise Refused("there is no command after |")
    elif join in ("&&", "||"):
        raise Refused(f"there is no command after {join}")
    return items
