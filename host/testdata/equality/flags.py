# differs: Python runs isolated (-I), and says so
import sys

print(sys.flags)
