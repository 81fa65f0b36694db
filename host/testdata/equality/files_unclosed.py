import sys

f = open("/app/never_closed.txt", "w")
f.write("x" * 10)
sys.stdout.write("no newline at the end")
