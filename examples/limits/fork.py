"""Try to start a second process."""

import os

os.fork()
