import sys

print("é ü 漢 😀")
print(ascii("é"), sys.stdout.encoding, sys.stdout.errors, sys.stderr.errors, sys.stdin.errors)
sys.stderr.write("\udcff\n")
sys.stdout.flush()
sys.stdout.buffer.write(b"raw \xc3\xa9\n")
try:
    print("\ud800")
except UnicodeEncodeError as e:
    print(e)
print(sys.getdefaultencoding(), sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())
