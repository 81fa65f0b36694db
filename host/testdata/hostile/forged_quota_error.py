# Raises the error of a quota that was never reached.
#
# status: error
# exit: 1
# error: OSError
raise OSError(122, "Disk quota exceeded")
