import os
import sys

sys.stdout.write("a complete line\n")
sys.stdout.flush()
sys.stdout.write("lost")
os._exit(4)
