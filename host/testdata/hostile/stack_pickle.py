# Unpickles a structure nested beyond every stack.
#
# status: error
# exit: 1
# error: RecursionError
import json
json.loads("[" * 500_000)
