# Writes without end.
#
# status: out_of_fuel
# exit: 137
# fuel: 100_000_000
# stdout cap: 10KB
# truncated: yes
line = "x" * 999
while True:
    print(line)
