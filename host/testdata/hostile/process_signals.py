# Raises and blocks signals against itself.
#
# status: error
# exit: 134
# stdout: "handled\n"
import os, signal
for number in range(1, 65):
    try:
        signal.signal(number, lambda *a: None)
    except (OSError, ValueError):
        pass
signal.signal(signal.SIGINT, lambda *a: print("handled"))
signal.raise_signal(signal.SIGINT)
os.abort()
