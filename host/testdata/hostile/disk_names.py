# Uses names that are no names.
#
# status: ok
# exit: 0
# stdout: "['\\x1b[2J', 'a\\nb', 'a\\rb', '\\ud83d\\ude00']\n"
import os
made = []
for name in ("a\nb", "a\rb", "\x1b[2J", "\U0001f600", "x" * 256, "x" * 100_000, "", "a\0b", "\udcff", "/" * 5000,
             "d/" * 3000 + "x", "."):
    try:
        with open(name, "w"):
            pass
    except (OSError, ValueError):
        continue
    made.append(name)
print(ascii(sorted(made)).replace("\\U0001f600", "\\ud83d\\ude00"))
