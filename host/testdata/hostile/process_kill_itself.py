# Dies of a signal.
#
# status: error
# exit: 134
# error: trap
import signal
signal.raise_signal(signal.SIGKILL)
