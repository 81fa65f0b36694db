# Runs one module of CPython's own test suite, whose name is its argument, and
# says how many of its tests ran, failed and were skipped.
import io
import sys
import unittest

sys.path.insert(0, "/suite")
name = sys.argv.pop()
try:
    tests = unittest.defaultTestLoader.loadTestsFromName(f"test.{name}")
except unittest.SkipTest as reason:
    sys.exit(f"skipped: {reason}")
result = unittest.TextTestRunner(stream=io.StringIO(), verbosity=0).run(tests)
wrong = result.failures + result.errors
print(result.testsRun, len(wrong), len(result.skipped))
for test, trace in wrong:
    print(test, trace.strip().splitlines()[-1], file=sys.stderr)
sys.exit(bool(wrong))
