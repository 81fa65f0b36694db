# stdin: "ok\nbad \xff\xfe\n"
import sys

print([line for line in sys.stdin])
