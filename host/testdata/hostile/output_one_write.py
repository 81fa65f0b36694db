# Writes much in one call, past everything that buffers.
#
# status: ok
# exit: 0
# stdout cap: 10KB
# truncated: yes
import os
os.write(1, b"x" * (8 << 20))
