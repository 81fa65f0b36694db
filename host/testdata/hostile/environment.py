# Looks for traces of the host around itself.
#
# status: ok
# exit: 0
# stdout: "{'LANG': 'C.UTF-8'} ['hostile.py'] wasi\n[]\n"
import os, platform, sys
print(dict(os.environ), sys.argv, sys.platform)
found = []
for name in ("getlogin", "getuid", "getpid", "getppid", "gethostname", "cpu_count", "getloadavg", "ttyname"):
    try:
        value = getattr(os, name)()
    except (OSError, AttributeError, TypeError):
        continue
    if value not in (None, 1, 0, 42):
        found.append((name, value))
if platform.node() not in ("", "(none)", "wasi"):
    found.append(platform.node())
print(found)
