# differs: complete lines do not wait in a buffer
import os
import sys

print("first")
os.write(1, b"second\n")
sys.stdout.buffer.write(b"third\n")
sys.stdout.buffer.flush()
