# Reads input that it was not given.
#
# status: error
# exit: 1
# error: EOFError
import sys
assert sys.stdin.read() == ""
assert sys.stdin.buffer.read(1 << 20) == b""
input()
