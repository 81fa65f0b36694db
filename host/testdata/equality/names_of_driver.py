import sys

print([m for m in sys.modules if "sandboxd" in m], "_sandboxd" in str(sys.modules))
