# Starts a thread.
#
# status: error
# exit: 1
# error: RuntimeError
# stderr has: "can't start new thread"
import threading
threading.Thread(target=print).start()
