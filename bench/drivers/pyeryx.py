"""Runs programs through pyeryx: a new sandbox for every one."""

import json
import sys
import time

import eryx

LIMITS = eryx.ResourceLimits(
    execution_timeout_ms=60_000,
    max_memory_bytes=128 << 20,
    max_fuel=5_000_000_000,
)


def reply(**fields):
    print(json.dumps(fields), flush=True)


def run(code):
    start = time.perf_counter()
    result = eryx.Sandbox(resource_limits=LIMITS).execute(code)
    elapsed = time.perf_counter() - start
    stdout = result.stdout
    if isinstance(stdout, bytes):
        stdout = stdout.decode()
    reply(stdout=stdout, ms=elapsed * 1e3, fuel=result.fuel_consumed or 0)


about = eryx.Sandbox().execute("import platform; print(platform.python_version(), end='')").stdout
reply(version="CPython " + (about.decode() if isinstance(about, bytes) else about))
for line in sys.stdin:
    try:
        run(json.loads(line)["code"])
    except Exception as e:
        reply(error=f"{type(e).__name__}: {e}")
