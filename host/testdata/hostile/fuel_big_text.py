# Turns a large number into text, which takes quadratic time.
#
# status: out_of_fuel
# exit: 137
# fuel: 50_000_000
import sys
sys.set_int_max_str_digits(0)
str(1 << 10_000_000)
