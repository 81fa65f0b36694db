"""A daemon for as long as a program wants one."""

import asyncio
import contextlib
import os
import subprocess

from sandboxd_client import SandboxdSandboxClient


@contextlib.asynccontextmanager
async def daemon(directory: str, *runtimes: str):
    """A client of the daemon at $SANDBOXD_SOCKET, or of one that is started, and ended, for it."""
    if os.environ.get("SANDBOXD_SOCKET"):
        client = SandboxdSandboxClient()
        yield client
        await client.aclose()
        return
    socket = os.path.join(directory, "sandboxd.sock")
    command = [os.environ.get("SANDBOXD", "sandboxd"), "serve", "--socket", socket, "--data-dir", os.path.join(directory, "data")]
    command += [argument for name in runtimes for argument in ("--runtime", name)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        client = SandboxdSandboxClient(socket=socket)
        while not await client.ready():
            if process.poll() is not None:
                raise SystemExit(f"sandboxd serve did not start: {' '.join(command)}")
            await asyncio.sleep(0.1)
        yield client
        await client.aclose()
    finally:
        process.terminate()
        process.wait()
