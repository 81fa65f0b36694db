# Changes what a name means between looking and using, as fast as it can.
#
# status: ok
# exit: 0
# stdout: "done\n"
import os
for i in range(200):
    os.mkdir("/app/d")
    with open("/app/d/f", "w") as f:
        f.write("x")
    os.rename("/app/d", "/app/e")
    try:
        open("/app/d/f")
        print("read through an old name")
    except OSError:
        pass
    os.remove("/app/e/f")
    os.rmdir("/app/e")
    try:
        os.symlink("../outside", "/app/d")
        print("linked")
    except OSError:
        pass
print("done")
