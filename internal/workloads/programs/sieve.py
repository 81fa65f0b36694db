"""Bytes and slices: the sieve of Eratosthenes, then a sum over the primes."""


def run(limit):
    sieve = bytearray([1]) * limit
    sieve[0:2] = b"\0\0"
    for n in range(2, int(limit**0.5) + 1):
        if sieve[n]:
            sieve[n * n :: n] = bytes(len(range(n * n, limit, n)))
    primes = [n for n in range(limit) if sieve[n]]
    return len(primes), sum(primes) % 1_000_003


print("sieve", *run(450_000))
