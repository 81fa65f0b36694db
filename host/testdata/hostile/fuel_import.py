# Does its work while it is compiled: constants are folded by the compiler.
#
# status: out_of_fuel
# exit: 137
# fuel: 50_000_000
text = "(" * 90 + "1" + ")" * 90
while True:
    compile("x = [" + ",".join([text] * 500) + "]", "x", "exec")
