# stdin: "one\r\ntwo\rthree\n\nfive"
import sys

print(list(sys.stdin), sys.stdin.read(), sys.stdin.readline())
