# Reaches the limit, copes, and ends with an exit code of its own choice.
#
# status: error
# exit: 3
# memory: 48MiB
# error: exit
import sys
try:
    a = bytearray(1 << 29)
except MemoryError:
    sys.exit(3)
