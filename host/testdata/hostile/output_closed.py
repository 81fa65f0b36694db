# Closes its outputs, and fails: the failure is known all the same.
#
# status: error
# exit: 1
# error: ValueError
import os, sys
sys.stdout.close()
sys.stderr.close()
for fd in (1, 2):
    try:
        os.close(fd)
    except OSError:
        pass
raise ValueError("unheard")
