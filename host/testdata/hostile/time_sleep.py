# Sleeps past its time.
#
# status: timeout
# exit: 124
# timeout: 2s
# stdout: "good night\n"
# error: timeout
import time
print("good night")
time.sleep(3600)
