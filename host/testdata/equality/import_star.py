from math import *
from helper import *

print(pi, value)
