# Exits with the engine's own code for a deadline.
#
# status: error
# exit: 255
# error: exit
import os
os._exit(0xEFFFFFFF - 2**32)
