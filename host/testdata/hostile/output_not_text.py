# Writes bytes that are no text, and half characters.
#
# status: ok
# exit: 0
# stdout: "a\uFFFDb\u00e9\uFFFD"
import os
os.write(1, b"a\xff\xfeb\xc3")
os.write(1, b"\xa9\xed\xa0\x80")
