"""Sleep. A sleeping program burns no fuel, so only the clock can stop it."""

import time

time.sleep(3600)
