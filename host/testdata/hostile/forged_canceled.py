# Exits with the engine's own code for a canceled call.
#
# status: error
# exit: 255
# error: exit
import os
os._exit(-1)
