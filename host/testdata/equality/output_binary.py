import sys

sys.stdout.buffer.write(bytes(range(128)) + b"\n")
sys.stdout.buffer.write("é".encode())
