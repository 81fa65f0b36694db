# Asks the host about files for ever: cheap for a guest, dear for the host.
#
# status: out_of_fuel
# exit: 137
# fuel: 50_000_000
import os
while True:
    try:
        os.stat("/data/sub/../nothing")
    except OSError:
        pass
