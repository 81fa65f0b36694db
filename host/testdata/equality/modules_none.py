import sys

import helper

sys.modules["helper"] = None
sys.modules[5] = 6
del sys.modules["__main__"]
print("ok")
