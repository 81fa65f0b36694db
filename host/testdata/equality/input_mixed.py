# stdin: "1 2\n3 4\nrest\nof it"
import sys

print(sum(map(int, input().split())))
print(next(sys.stdin))
print(sys.stdin.read(2), sys.stdin.readlines())
print(sys.stdin.isatty(), sys.stdin.fileno(), sys.stdin.name, sys.stdin.mode, sys.stdin.closed)
