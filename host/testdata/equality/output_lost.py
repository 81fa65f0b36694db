# differs: complete lines are not lost by leaving at once
import os

print("a complete line")
print("half a line", end="")
os._exit(0)
