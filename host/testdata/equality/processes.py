for name in ("subprocess", "multiprocessing", "ctypes", "ssl", "readline", "curses"):
    try:
        module = __import__(name)
        print(name, "is there")
    except ImportError as e:
        print(e)
import subprocess

try:
    subprocess.run(["ls"])
except OSError as e:
    print(type(e).__name__, e)
