# Names paths as long as its memory: cheap for a guest, dear for the host, which would
# copy and clean them.
#
# status: out_of_fuel
# exit: 137
# fuel: 600_000_000
import os

name = "a/" * (8 << 20)
while True:
    try:
        os.stat(name)
    except OSError:
        pass
