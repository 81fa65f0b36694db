# Draws much randomness with few instructions.
#
# status: out_of_fuel
# exit: 137
# fuel: 50_000_000
import os
while True:
    os.urandom(1 << 20)
