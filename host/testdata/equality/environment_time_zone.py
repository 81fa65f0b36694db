# env: TZ=Europe/Paris
import os
import time

print(os.getenv("TZ"), time.tzname, time.localtime(0)[:5], hasattr(time, "tzset"))
