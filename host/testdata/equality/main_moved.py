import sys

main = sys.modules.pop("__main__")
import helper

sys.modules["__main__"] = main
print(helper.value)
