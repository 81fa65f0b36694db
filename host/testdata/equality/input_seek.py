# stdin: "abc"
import sys

print(sys.stdin.seekable())
try:
    sys.stdin.seek(0)
except OSError as e:
    print(type(e).__name__)
try:
    sys.stdin.write("x")
except OSError as e:
    print(type(e).__name__, e)
