import inspect
import sys

print(len(inspect.stack()) > 1, sys._getframe().f_back is not None)
