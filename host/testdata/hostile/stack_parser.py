# Has the compiler itself recurse.
#
# status: error
# exit: 1
# stderr has: "Error"
import sys
sys.setrecursionlimit(10**9)
eval("-" * 200_000 + "1")
