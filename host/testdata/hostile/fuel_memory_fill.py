# Fills large memory with single instructions, thousands of times.
#
# status: out_of_fuel
# exit: 137
# fuel: 50_000_000
while True:
    bytes(4 << 20)
