# stdin: "a\nb\n"
import fileinput

for line in fileinput.input(encoding="utf-8"):
    print(fileinput.lineno(), line, end="")
