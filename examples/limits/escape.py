"""Try to leave the workspace through a symbolic link."""

import os

os.symlink("../../../../etc/passwd", "/app/link")
print(open("/app/link").read())
