import sys

sys.stdout.reconfigure(encoding="utf-16-le", newline="\r\n")
print("a")
sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
print("\ud800")
