import sys

sys.path = None
sys.stdout.write("x\n")
sys.argv = 5
del sys.path_hooks
