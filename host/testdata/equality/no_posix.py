import os
import signal

print(os.name, os.sep, os.linesep, hasattr(os, "fork"), os.cpu_count())
print(os.getpid() > 0, hasattr(os, "kill"), hasattr(signal, "alarm"))
for action in (lambda: os.system("ls"), lambda: os.popen("ls").read(), lambda: os.getuid(), lambda: os.pipe()):
    try:
        print(action())
    except Exception as e:
        print(type(e).__name__, e)
