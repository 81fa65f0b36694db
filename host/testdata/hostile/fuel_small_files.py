# Makes and removes files for ever: cheap for a guest, dear for the host's disk.
#
# status: out_of_fuel
# exit: 137
# fuel: 400_000_000
import os

while True:
    open("/app/f", "w").close()
    os.remove("/app/f")
