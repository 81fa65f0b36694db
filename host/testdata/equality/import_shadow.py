import sys

with open("/app/this.py", "w") as f:
    f.write("mine = True\n")
import this

print(hasattr(this, "mine"))
