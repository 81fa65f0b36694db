# Takes the interpreter apart around the code that started it.
#
# status: error
# exit: 1
import sys
frame = sys._getframe()
while frame.f_back:
    frame = frame.f_back
for frame in (frame, sys._getframe().f_back):
    frame.f_globals.clear()
    frame.f_builtins.clear()
raise ValueError("mine")
