# Makes the host work for nothing: refusals cost fuel, too.
#
# status: out_of_fuel
# exit: 137
# fuel: 400_000_000
import os

while True:
    fd = os.open("/.sandboxd/fetch", os.O_RDWR)
    os.write(fd, b'{"method":"GET","url":"http://AT/v1/json"}\n')
    os.read(fd, 1 << 16)
    os.close(fd)
