# Fills its own environment with nonsense.
#
# status: ok
# exit: 0
# stdout: "survived\n"
import os
for name, value in ((f"N{i}", "x" * 1000) for i in range(2000)):
    os.environ[name] = value
for name in ("", "A=B", "\0", "\udcff"):
    try:
        os.environ[name] = "x"
    except (OSError, ValueError):
        pass
os.environ.clear()
print("survived")
