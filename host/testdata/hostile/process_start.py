# Starts processes.
#
# status: ok
# exit: 0
# stdout: "[]\n"
import os, subprocess
done = []
for name, call in {
    "system": lambda: os.system("true"),
    "popen": lambda: os.popen("true").read(),
    "fork": lambda: os.fork(),
    "execv": lambda: os.execv("/bin/true", ["true"]),
    "spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "run": lambda: subprocess.run(["true"]),
    "shell": lambda: subprocess.run("true", shell=True),
    "output": lambda: subprocess.check_output(["/bin/true"]),
    "kill": lambda: os.kill(1, 9),
    "killpg": lambda: os.killpg(1, 9),
    "abort": lambda: __import__("multiprocessing").Process(target=print).start(),
    "nice": lambda: os.nice(10),
    "setuid": lambda: os.setuid(0),
}.items():
    try:
        call()
    except (OSError, AttributeError, ImportError, NotImplementedError):
        continue
    done.append(name)
print(done)
