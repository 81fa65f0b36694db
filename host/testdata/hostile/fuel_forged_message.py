# Says that it ran out of fuel, while it did not.
#
# status: error
# exit: 1
# error: RuntimeError
# stderr has: "RuntimeError: out of fuel"
import sys
print("wasm error: out of fuel", file=sys.stderr)
raise RuntimeError("out of fuel")
