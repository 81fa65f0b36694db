# Catches everything and sleeps again.
#
# status: timeout
# exit: 124
# timeout: 300ms
import time
while True:
    try:
        time.sleep(100)
    except BaseException:
        print("caught")
