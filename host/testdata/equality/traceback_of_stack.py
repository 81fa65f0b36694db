import sys
import traceback

traceback.print_stack(limit=2, file=sys.stdout)
