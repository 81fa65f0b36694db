"""Regular expressions: find and rewrite fields in a made-up access log."""

import re

LINE = re.compile(
    r'^(?P<ip>\d+(?:\.\d+){3}) - (?P<user>\S+) "(?P<verb>GET|POST) (?P<path>/\S*)" '
    r"(?P<status>\d{3}) (?P<size>\d+)$",
    re.MULTILINE,
)


def log(lines):
    verbs = ("GET", "POST")
    return "\n".join(
        '10.0.%d.%d - user%d "%s /item/%d?page=%d" %d %d'
        % (i % 256, i * 7 % 256, i % 13, verbs[i % 2], i % 101, i % 9, 200 + i % 3 * 100, i * 37 % 5000)
        for i in range(lines)
    )


def run(lines, rounds):
    text = log(lines)
    found = size = changed = 0
    for _ in range(rounds):
        for match in LINE.finditer(text):
            found += 1
            if match["status"] == "200":
                size += int(match["size"])
        changed += len(re.sub(r"user(\d+)", r"<\1>", text))
    return found, size, changed


print("re", *run(1500, 5))
