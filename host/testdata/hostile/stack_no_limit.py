# Calls itself through C functions, with CPython's own guard taken away: the stack
# overflows for real.
#
# status: error
# exit: 134
# error: trap
# exit 3.13: 1
# error 3.13: RecursionError
import sys
sys.setrecursionlimit(10**9)
class A:
    def __getattr__(self, name):
        return getattr(self, name + "x")
    def __repr__(self):
        return repr([self])
repr(A())
