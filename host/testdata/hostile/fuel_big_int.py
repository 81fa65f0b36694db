# Computes a number that nobody has time for.
#
# status: out_of_fuel
# exit: 137
# fuel: 50_000_000
9 ** (9 ** 9)
