# Runs for ever in the interpreter's own loop.
#
# status: out_of_fuel
# exit: 137
# fuel: 30_000_000
# error: out_of_fuel
# stdout: "start\n"
print("start")
while True:
    pass
