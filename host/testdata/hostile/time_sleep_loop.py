# Sleeps a little, very often.
#
# status: timeout
# exit: 124
# timeout: 300ms
import time
while True:
    time.sleep(0.001)
