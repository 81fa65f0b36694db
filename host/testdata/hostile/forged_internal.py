# Breaks the code that reports errors, to pass its failure off as the host's.
#
# status: error
# exit: 1
import json, posix
def broken(*args, **kwargs):
    raise RuntimeError("no")
json.dumps = broken
posix.open = broken
posix._exit = broken
raise ValueError("mine")
