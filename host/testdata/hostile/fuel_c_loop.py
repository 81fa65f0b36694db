# Runs for ever inside one C function, where the interpreter's loop never turns.
#
# status: out_of_fuel
# exit: 137
# fuel: 30_000_000
# error: out_of_fuel
sum(range(10**12))
