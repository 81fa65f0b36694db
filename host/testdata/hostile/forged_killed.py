# Exits with the code of a killed program, saying that it was killed.
#
# status: error
# exit: 137
# error: exit
# stderr has: "Killed"
import os, sys
sys.stderr.write("Killed: out of memory\n")
sys.stderr.flush()
os._exit(137)
