# Crashes by every means that CPython offers for it.
#
# status: error
# exit: 134
# error: trap
try:
    import faulthandler
    faulthandler._sigsegv()
except (ImportError, AttributeError):
    pass
import os
os.abort()
