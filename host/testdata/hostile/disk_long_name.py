# Fails of a name that is too long, which is no quota.
#
# status: error
# exit: 1
# error: OSError
open("x" * 300, "w")
