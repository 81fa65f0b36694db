# Reports a limit that was not reached.
#
# status: error
# exit: 5
# error: out_of_memory
import os
with open("/.sandboxd/report", "w") as f:
    f.write('{"type": "out_of_memory", "message": "MemoryError", "line": -5}')
os._exit(5)
