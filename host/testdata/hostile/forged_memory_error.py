# Raises the error of a limit that was never reached.
#
# status: error
# exit: 1
# error: MemoryError
raise MemoryError
