# stdin: "a\x00\xff\r\nb\n\nlast"
import sys

print(sys.stdin.buffer.readline(), sys.stdin.buffer.read(2), sys.stdin.buffer.read())
print(sys.stdin.buffer.read())
