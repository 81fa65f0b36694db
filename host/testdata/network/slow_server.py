# Waits for a server that never answers, until the call is over.
#
# status: timeout
# exit: 124
# timeout: 500ms
import sandbox_net

while True:
    try:
        sandbox_net.fetch("http://AT/v1/stall", timeout=1e6)
    except BaseException:
        print("went on")
