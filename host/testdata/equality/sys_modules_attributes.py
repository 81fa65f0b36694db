import sys

print(sys.executable, sys.prefix, sys.version_info[:3], sys.implementation.name, sys.byteorder, sys.maxsize)
print(sys.getswitchinterval(), sys.dont_write_bytecode, sys.float_info.dig, sys.int_info.bits_per_digit)
print(sys.warnoptions, sys._xoptions, sys.hash_info.algorithm, sys.platlibdir, sys.pycache_prefix)
print(sys.get_int_max_str_digits(), sys.getrecursionlimit(), sys.getallocatedblocks() > 0)
