"""Try to run a program of the host."""

import subprocess

subprocess.run(["/bin/sh", "-c", "id"], check=True)
