# Writes errors without end.
#
# status: out_of_fuel
# exit: 137
# fuel: 100_000_000
# stderr cap: 10KB
# truncated: yes
import sys
line = "x" * 999
while True:
    print(line, file=sys.stderr)
