# Writes to any address: it forges a bytearray that spans all of memory, as
# exploits of CPython do, and overwrites the interpreter with it.
#
# status: error
# exit: 134
# error: trap
# stdout: "bytearray 2147483647\n"
import struct
def address_of_buffer(b):
    # A bytes object's contents follow a header of 16 bytes in 32-bit CPython.
    return id(b) + 16
kind = id(bytearray)
forged = struct.pack("<7I", 1000, kind, 0x7FFFFFFF, 0x7FFFFFFF, 0, 0, 0)
pointer = struct.pack("<I", address_of_buffer(forged))
holder = pointer * 4
def read():
    pass
index = (address_of_buffer(holder) - (id(()) + 12)) // 4
code = read.__code__
from opcode import opmap
ops = []
extended = index & 0xFFFFFFFF
for shift in (24, 16, 8):
    ops += [opmap["EXTENDED_ARG"], extended >> shift & 0xFF]
ops += [opmap["LOAD_CONST"], extended & 0xFF, opmap["RETURN_VALUE"], 0]
read.__code__ = code.replace(co_code=bytes(ops), co_consts=())
everything = read()
print(type(everything).__name__, len(everything))
for at in range(0, len(everything), 64):
    everything[at] = 0xFF
