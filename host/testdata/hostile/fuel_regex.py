# Backtracks for ever inside one regular expression.
#
# status: out_of_fuel
# exit: 137
# fuel: 30_000_000
import re
re.match(r"(a+)+$", "a" * 64 + "b")
