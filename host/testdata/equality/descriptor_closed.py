# differs: complete lines do not wait in a buffer
import os

print("lost")
os.close(1)
