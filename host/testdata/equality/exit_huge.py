# differs 3.13: it takes the number for a failure of its own, and exits with 0
import sys

sys.exit(2**40)
