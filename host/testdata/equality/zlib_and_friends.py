import base64
import bz2
import decimal
import fractions
import gzip
import hashlib
import hmac
import zlib

data = b"sandbox" * 1000
print(zlib.crc32(data), len(zlib.compress(data)), zlib.decompress(zlib.compress(data)) == data)
print(len(gzip.decompress(gzip.compress(data))), bz2.compress(b"a")[:3])
print(hashlib.sha256(data).hexdigest()[:8], hashlib.md5(b"").hexdigest()[:8], hmac.new(b"k", data, "sha1").hexdigest()[:8])
print(decimal.Decimal(1) / 3, decimal.getcontext().flags[decimal.Inexact], fractions.Fraction("0.25"))
print(base64.b85encode(b"abc"), hashlib.blake2b(b"x").hexdigest()[:8])
