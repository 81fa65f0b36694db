import sys
import threading
import warnings

print(hasattr(sys, "last_value"), "rehearsal" in str(vars(sys.modules["__main__"])), threading.active_count())
print([f[2].__name__ for f in warnings.filters], sys.getprofile(), sys.gettrace())
import decimal
import tempfile

print(tempfile.tempdir, [f.__name__ for f, on in decimal.getcontext().flags.items() if on])
