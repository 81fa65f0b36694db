# Changes every object the collector knows.
#
# status: error
# exit: 1
import gc, sys
for o in gc.get_objects():
    try:
        if isinstance(o, dict) and o is not globals():
            o.clear()
        elif isinstance(o, list):
            o[:] = [None]
        elif isinstance(o, set):
            o.clear()
    except BaseException:
        pass
raise ValueError
