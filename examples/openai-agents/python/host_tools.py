"""Functions of this program as tools of the code in the sandbox, over gRPC."""

import asyncio
import collections
import contextlib
import json
import os
import sys
import tempfile
import traceback
from pathlib import Path

import grpc
from agents.function_schema import function_schema
from google.protobuf.duration_pb2 import Duration

from sandbox import HERE, SANDBOXD, console, show

sys.path.append(str(HERE.parents[1] / "plugins" / "rpc" / "proto"))  # gRPC reads the protocol from there
pb, rpc = grpc.protos_and_services("sandboxd/v1/sandboxd.proto")

LIMITS = {"fuel": 200_000_000, "timeout": Duration(seconds=10), "stdout": 10_000, "stderr": 10_000, "tool_calls": 50}


class Refusal(Exception):
    """An error whose text the code in the sandbox may read."""


@contextlib.asynccontextmanager
async def daemon():
    """Connect to the daemon of SANDBOXD_SOCKET, or to one that runs as long as this lasts."""
    async with contextlib.AsyncExitStack() as stack:
        process, socket = None, os.environ.get("SANDBOXD_SOCKET")
        if not socket:
            data = stack.enter_context(tempfile.TemporaryDirectory())
            socket = f"{data}/sandboxd.sock"
            process = await stack.enter_async_context(_serve(data, socket))
        channel = grpc.aio.insecure_channel(f"unix:{socket}", options=[("grpc.initial_reconnect_backoff_ms", 100)])
        sandbox = rpc.SandboxStub(await stack.enter_async_context(channel))
        while True:
            try:
                await sandbox.Info(pb.InfoRequest())
                break
            except grpc.RpcError as error:  # the one that starts here prepares its languages first
                if process is None or process.returncode is not None or error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise
            await asyncio.sleep(0.1)
        yield sandbox


@contextlib.asynccontextmanager
async def _serve(data, socket):
    with open(Path(data) / "log", "w+") as log:
        process = await asyncio.create_subprocess_exec(
            SANDBOXD, "serve", "--data-dir", data, "--socket", socket,
            "--runtime", "python", "--runtime", "javascript", stderr=log,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            if await process.wait():
                log.seek(0)
                console.print(log.read(), style="red", markup=False)


def describe(functions) -> str:
    """Tell a model how to call functions from its code."""
    lines = [
        "Run a program in a sandbox. It can call the functions below as often as it needs: "
        "in Python `import tools` and `tools.NAME(argument=...)`, in JavaScript `await tools.NAME({argument: ...})`. "
        "A call that fails raises tools.ToolError, whose text says why. Print what you want to know.",
    ]
    for function in functions:
        schema = function_schema(function)
        lines.append(f"- {schema.name}: {schema.description} Arguments: {json.dumps(schema.params_json_schema['properties'])}")
    return "\n".join(lines)


async def run_with_tools(sandbox, code: str, language: str, functions) -> str:
    """Run code that may call these functions and no others, show it, and return its result as JSON."""
    schemas = {function.__name__: function_schema(function) for function in functions}
    calls = {function.__name__: function for function in functions}
    start = pb.ExecuteWithToolsRequest.Start(
        request=pb.ExecuteRequest(language=language, code=code, limits=pb.Limits(**LIMITS)),
        tools=[
            pb.Tool(name=name, description=schema.description, schema=json.dumps(schema.params_json_schema).encode())
            for name, schema in schemas.items()
        ],
    )
    stream = sandbox.ExecuteWithTools()
    sending = asyncio.Lock()  # a stream takes one message at a time, and calls may end together

    async def answer(call) -> None:
        message = pb.ToolAnswer(id=call.id)
        try:
            # The schema was checked already. The rest is up to the function: a program
            # that a model wrote, or somebody whose text it read, chose the arguments.
            schema = schemas[call.name]
            args, kwargs = schema.to_call_args(schema.params_pydantic_model.model_validate_json(call.arguments))
            message.value = json.dumps(await calls[call.name](*args, **kwargs)).encode()
        except Refusal as error:
            message.error = str(error)
        except Exception:  # its text is for this program's owner
            traceback.print_exc()
            message.error = "the tool failed"
        async with sending:
            await stream.write(pb.ExecuteWithToolsRequest(answer=message))

    output = collections.defaultdict(bytes)
    waiting: dict[int, asyncio.Task] = {}
    result = None
    try:
        await stream.write(pb.ExecuteWithToolsRequest(start=start))
        async for event in stream:
            kind = event.WhichOneof("event")
            if kind == "output":
                output[event.output.stream] += event.output.data
            elif kind == "call":
                waiting[event.call.id] = asyncio.create_task(answer(event.call))
            elif kind == "abandoned":
                waiting[event.abandoned].cancel()
            elif kind == "result":
                result = event.result
    except grpc.RpcError as error:  # no program ran: the agent should know why
        return json.dumps({"success": False, "status": "refused", "error": {"message": error.details()}})
    finally:
        for task in waiting.values():
            task.cancel()
        await asyncio.gather(*waiting.values(), return_exceptions=True)
    used = collections.defaultdict(collections.Counter)  # by tool and by what became of the call
    for call in result.tools:
        used[call.name][call.outcome] += 1
    told = {
        "success": result.success, "status": result.status,
        "stdout": output[pb.STREAM_STDOUT].decode(errors="replace"),
        "stderr": output[pb.STREAM_STDERR].decode(errors="replace"),
        "stdout_truncated": result.stdout_truncated,
        "fuel_consumed": result.fuel_consumed, "fuel_budget": result.fuel_budget,
        "memory_bytes": result.memory_bytes, "duration_seconds": result.duration_seconds,
        "tools": used, "error": None,
    }
    if result.HasField("error"):
        told["error"] = {"type": result.error.type, "message": result.error.message, "guidance": list(result.error.guidance)}
    show(code, language, told)
    for name, outcomes in used.items():
        counts = ", ".join(f"{n} {outcome}" for outcome, n in outcomes.items())
        console.print(f"tools.{name}: {counts}", style="cyan", markup=False)
    return json.dumps(told)
