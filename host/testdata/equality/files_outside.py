import os

for action in (
    lambda: open("/outside", "w"),
    lambda: os.mkdir("/dir"),
    lambda: open("/etc/passwd"),
    lambda: os.listdir("/proc"),
    lambda: os.symlink("/etc", "/app/link"),
    lambda: open("/app/../up", "w"),
    lambda: os.rename("/app/data.txt", "/data.txt"),
):
    try:
        print(action())
    except OSError as e:
        print(type(e).__name__, e)
