import os
import sys

os.write(1, b"descriptor\n")
print("printed", end=" ", flush=True)
sys.stdout.buffer.write(b"buffer\n")
sys.stdout.buffer.flush()
print("text")
