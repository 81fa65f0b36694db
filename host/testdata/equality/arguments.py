# args: one two=3 --flag -x
import sys

print(sys.argv, len(sys.orig_argv) > 0)
