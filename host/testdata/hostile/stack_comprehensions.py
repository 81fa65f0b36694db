# Has the compiler write beyond a table of its own, which has room for twenty
# comprehensions inside of each other.
#
# status: error
# exit: 134
# error: trap
exec("a = " + "[" * 30 + "0" + " for a in b]" * 30)
