# env: PYTHONHASHSEED=5 PYTHONIOENCODING=latin-1 PYTHONPATH=/nowhere PYTHONWARNINGS=error HOME=/home/x
import os
import sys

print(sys.stdout.encoding, "/nowhere" in sys.path, sys.warnoptions, sys.flags.ignore_environment)
print(os.path.expanduser("~/a"))
