# Exits with the code by which a shell would tell a timeout.
#
# status: error
# exit: 124
# error: exit
import sys
sys.exit(124)
