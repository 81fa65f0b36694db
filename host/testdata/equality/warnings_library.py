import re
import time

re.sub("a", "b", "c", 0, re.I)
re.template if hasattr(re, "template") else None
from datetime import datetime

datetime.utcnow()
