"""Commands on text."""

import os
import re

from .commands import COMMANDS, command, inputs, lines_of, options, slurp
from .files import files_below
from .reader import escapes


@command("cat", "tac", "nl")
def cat(shell, args):
    flags, files = options(args, "nbA")
    number = 0
    for _, data in inputs(shell, files):
        if "n" not in flags and "b" not in flags:
            shell.put(data)
            continue
        for line in lines_of(data):
            number += 1
            shell.put(f"{number:>6}\t{line}")


def end_of(first):
    def run(shell, args):
        args = [re.sub(r"^-(\d+)$", r"-n\1", a) for a in args]
        flags, files = options(args, "n:c:qvf")
        count = flags.get("n", flags.get("c", "10"))
        size, several = abs(int(count.lstrip("+"))), len(files) > 1
        for name, data in inputs(shell, files):
            parts = data if "c" in flags else data.splitlines(keepends=True)
            if first:
                parts = parts[:-size] if count[0] == "-" and size else parts[:size]
            else:
                parts = parts[max(size - 1, 0) :] if count[0] == "+" else parts[-size:] if size else parts[:0]
            if several:
                shell.put(f"==> {name} <==\n")
            shell.put(parts if "c" in flags else b"".join(parts))

    return run


COMMANDS["head"], COMMANDS["tail"] = end_of(True), end_of(False)


@command("wc")
def wc(shell, args):
    flags, files = options(args, "lwcm")
    totals = [0, 0, 0]
    for name, data in inputs(shell, files):
        counts = [data.count(b"\n"), len(data.split()), len(data)]
        totals = [a + b for a, b in zip(totals, counts)]
        wc_line(shell, flags, counts, "" if name == "-" else name)
    if len(files) > 1:
        wc_line(shell, flags, totals, "total")


def wc_line(shell, flags, counts, name):
    chosen = {"c" if flag == "m" else flag for flag in flags} or {"l", "w", "c"}
    wanted = [count for flag, count in zip("lwc", counts) if flag in chosen]
    shell.put(" ".join([str(count) for count in wanted] + ([name] if name else [])) + "\n")


def basic(pattern):
    """A basic regular expression of POSIX's as Python writes it."""

    def swapped(match):
        text = match[0]
        if len(text) == 1:
            return "\\" + text
        return text[1] if text[1] in "(){}+?|" else text

    return re.sub(r"\\.|[(){}+?|]", swapped, pattern)


def classes(pattern):
    for name, chars in ("digit", "0-9"), ("alpha", "A-Za-z"), ("alnum", "A-Za-z0-9"), ("space", r"\s"), ("upper", "A-Z"), ("lower", "a-z"):
        pattern = pattern.replace(f"[:{name}:]", chars)
    return pattern


def search(dialect, recursive):
    def run(shell, args):
        flags, rest = options(args, "rRnivlcEFPowqhHe:A:B:C:m:sS", ("files", "color=", "include=", "no-heading", "line-number"))
        if "files" in flags:
            shell.put("".join(f + "\n" for path in rest or ["."] for f in files_below(path)))
            return 0
        if "e" not in flags and not rest:
            raise ValueError("there is no pattern")
        pattern = flags["e"] if "e" in flags else rest.pop(0)
        extended = dialect == "E" or flags.keys() & {"E", "P"}
        quote = re.escape if dialect == "F" or "F" in flags else lambda p: classes(p if extended else basic(p))
        pattern = "|".join(quote(part) for part in pattern.split("\n"))
        pattern = rf"\b(?:{pattern})\b" if "w" in flags else pattern
        matcher = re.compile(pattern, re.I if "i" in flags else 0)
        deep = recursive and (rest or not shell.input) or flags.keys() & {"r", "R"}
        files = [f for path in rest or ["."] for f in files_below(path)] if deep else rest
        if "include" in flags:
            from fnmatch import fnmatch

            files = [f for f in files if fnmatch(os.path.basename(f), flags["include"])]
            if not files:
                return 1
        numbered = "n" in flags or recursive and deep
        before, after = (int(flags.get(f, flags.get("C", 0))) for f in "BA")
        found = False
        for name, data in inputs(shell, files):
            if deep and b"\0" in data[:1000]:
                continue  # no text
            lines = [line.rstrip("\n") for line in lines_of(data)]
            hits = [i for i, line in enumerate(lines) if bool(matcher.search(line)) != ("v" in flags)][: int(flags.get("m", len(lines)))]
            found = found or bool(hits)
            prefix = f"{name}:" if (deep or len(files) > 1 or "H" in flags) and "h" not in flags else ""
            if "q" in flags:
                continue
            if "l" in flags:
                shell.put(name + "\n" if hits else "")
            elif "c" in flags:
                shell.put(f"{prefix}{len(hits)}\n")
            elif "o" in flags:
                shell.put("".join(prefix + m[0] + "\n" for i in hits for m in matcher.finditer(lines[i])))
            else:
                shown = sorted({j for i in hits for j in range(max(i - before, 0), min(i + after + 1, len(lines)))})
                shell.put("".join(prefix + (f"{i + 1}:" if numbered else "") + lines[i] + "\n" for i in shown))
        return int(not found)

    return run


COMMANDS["grep"], COMMANDS["egrep"] = search("G", False), search("E", False)
COMMANDS["fgrep"], COMMANDS["rg"] = search("F", False), search("E", True)


@command("sed")
def sed(shell, args):
    flags, rest = options(args, "nEre:i")
    if "e" not in flags and not rest:
        raise ValueError("there is no script")
    script = flags["e"] if "e" in flags else rest.pop(0)
    edits = [sed_edit(part, flags.keys() & {"E", "r"}) for part in re.split(r"(?<!\\)\n|;(?=\s*[\d/$sdpq])", script) if part.strip()]
    for name, data in inputs(shell, rest):
        lines, out = lines_of(data), []
        for number, line in enumerate(lines, 1):
            body, end = (line[:-1], "\n") if line.endswith("\n") else (line, "")
            keep, more, stop = "n" not in flags, 0, False
            for applies, act, value in edits:
                if not applies(number, body, number == len(lines)):
                    continue
                if act == "d":
                    keep, more = False, 0
                    break
                if act == "p":
                    more += 1
                elif act == "q":
                    stop = True
                else:
                    matcher, replacement, count, show = value
                    body, hits = matcher.subn(replacement, body, count)
                    more += int(show and hits > 0)
            out += [body + end] * (more + keep)
            if stop:
                break
        text = "".join(out).encode("utf-8", "surrogateescape")
        if "i" in flags and name != "-":
            with open(name, "wb") as file:
                file.write(text)
        else:
            shell.put(text)


def sed_edit(text, extended):
    """One command of sed's: which lines it is for, and what it does."""
    match = re.fullmatch(r"\s*(?:(\d+|\$|/(?:[^/\\]|\\.)*/)(?:,(\d+|\$))?)?\s*(!?)([spdq])(.*)", text, re.S)
    if not match:
        raise ValueError(f"{text!r} is not supported; of sed there are s, p, d and q")
    first, last, negated, act, rest = match.groups()
    translate = (lambda p: classes(p)) if extended else (lambda p: classes(basic(p)))
    place = re.compile(translate(first[1:-1])) if first and first[0] == "/" else None

    def applies(number, line, at_end):
        if first is None:
            inside = True
        elif place:
            inside = bool(place.search(line))
        else:
            start = number if first == "$" and at_end else int(first) if first != "$" else number + 1
            stop = start if last is None else number + 1 if last == "$" else int(last)
            inside = start <= number <= stop
        return inside != bool(negated)

    if act != "s":
        return applies, act, None
    parts = re.split(rf"(?<!\\){re.escape(rest[:1])}", rest[1:]) if rest else []
    if len(parts) != 3:
        raise ValueError(f"{text!r} is not closed")
    pattern, replacement, options = (part.replace("\\" + rest[0], rest[0]) for part in parts)
    matcher = re.compile(translate(pattern), re.I if "i" in options.lower() else 0)
    return applies, "s", (matcher, re.sub(r"\\(.)|&", sed_reference, replacement), 0 if "g" in options else 1, "p" in options)


def sed_reference(match):
    """What sed's \\1, & and \\n are in a replacement of Python's."""
    if match[0] == "&":
        return r"\g<0>"
    if match[1].isdigit():
        return rf"\g<{match[1]}>"
    return {"&": "&", "n": "\n"}.get(match[1], "\\" + match[0])


@command("sort")
def sort(shell, args):
    flags, files = options(args, "rnufhk:t:")
    lines = [line.rstrip("\n") for _, data in inputs(shell, files) for line in lines_of(data)]
    first, _, last = flags.get("k", "").split("\n")[0].partition(",")
    column = int(re.match(r"\d*", first)[0] or 0)
    numeric = "n" in flags or first.endswith("n") or last.endswith("n")

    def key(line):
        if column:
            fields = line.split(flags.get("t"))[column - 1 :]
            line = fields[0] if fields and last else flags.get("t", " ").join(fields)
        if numeric:
            number = re.match(r"\s*-?\d*\.?\d*", line)[0].strip()
            return (float(number) if re.search(r"\d", number) else 0.0, line)
        return line.lower() if "f" in flags else line

    lines.sort(key=key, reverse="r" in flags or "r" in first.lstrip("0123456789."))
    if "u" in flags:
        lines = list(dict.fromkeys(lines))
    shell.put("".join(line + "\n" for line in lines))


@command("uniq")
def uniq(shell, args):
    from itertools import groupby

    flags, files = options(args, "cdui")
    lines = [line.rstrip("\n") for _, data in inputs(shell, files[:1]) for line in lines_of(data)]
    for line, group in groupby(lines):
        count = len(list(group))
        if ("d" in flags and count < 2) or ("u" in flags and count > 1):
            continue
        shell.put(f"{count:>7} {line}\n" if "c" in flags else line + "\n")


@command("cut")
def cut(shell, args):
    flags, files = options(args, "d:f:c:")
    wanted = []
    for part in flags.get("f", flags.get("c", "1-")).split(","):
        low, dash, high = part.partition("-")
        wanted.append((int(low or 1) - 1, int(high) if high else None if dash else int(low)))
    separator = flags.get("d", "\t")
    for _, data in inputs(shell, files):
        for line in lines_of(data):
            line = line.rstrip("\n")
            fields = list(line) if "c" in flags else line.split(separator)
            chosen = [f for low, high in wanted for f in fields[low:high]]
            shell.put(("" if "c" in flags else separator).join(chosen if "c" in flags or separator in line else [line]) + "\n")


def characters(span):
    return "".join(map(chr, range(ord(span[1]), ord(span[2]) + 1)))


@command("tr")
def tr(shell, args):
    flags, sets = options(args, "ds")
    text = shell.input.decode("utf-8", "surrogateescape")
    spread = [re.sub(r"(.)-(.)", characters, escapes(classes(s).strip("[]"))) for s in sets]
    if "d" in flags:
        shell.put("".join(c for c in text if c not in spread[0]))
        return
    if len(spread) > 1:
        source, target = spread[0], spread[1].ljust(len(spread[0]), spread[1][-1:])
        text = text.translate(dict(zip(map(ord, source), target)))
    if "s" in flags:
        text = re.sub(f"([{re.escape(spread[-1])}])\\1+", r"\1", text)
    shell.put(text)


@command("diff")
def diff(shell, args):
    from difflib import unified_diff

    left, right = options(args, "uqr")[1]
    found = list(unified_diff(lines_of(slurp(left)), lines_of(slurp(right)), left, right))
    shell.put("".join(line if line.endswith("\n") else line + "\n" for line in found))
    return int(bool(found))


@command("seq")
def seq(shell, args):
    numbers = [int(a) for a in args]
    first, step, last = {1: (1, 1, *numbers), 2: (numbers[0], 1, numbers[-1])}.get(len(numbers)) or numbers
    shell.put("".join(f"{n}\n" for n in range(first, last + (1 if step > 0 else -1), step)))


def checksum(kind):
    def run(shell, args):
        import hashlib

        for name, data in inputs(shell, args):
            shell.put(f"{hashlib.new(kind, data).hexdigest()}  {name}\n")

    return run


COMMANDS["sha256sum"], COMMANDS["md5sum"] = checksum("sha256"), checksum("md5")
