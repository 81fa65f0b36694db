# Makes directories, each in the one before.
#
# status: error
# exit: 1
# error: OSError
import os
while True:
    os.mkdir("d")
    os.chdir("d")
