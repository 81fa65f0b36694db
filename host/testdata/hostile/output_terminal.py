# Writes what a terminal obeys: it is data like any other for the host.
#
# status: ok
# exit: 0
# stdout: "\x1b[2J\x1b]0;owned\x07\n"
print("\x1b[2J\x1b]0;owned\x07")
