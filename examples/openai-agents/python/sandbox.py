"""What the examples share: sandboxd as a tool, a model to talk to, and pretty output."""

import asyncio
import contextlib
import json
import os
import shlex
import subprocess
from pathlib import Path

from agents import Runner, set_default_openai_client, set_tracing_disabled
from openai import AsyncOpenAI
from rich.console import Console
from rich.panel import Panel
from rich.syntax import Syntax

HERE = Path(__file__).resolve().parent.parent
SANDBOXD = os.environ.get("SANDBOXD", "sandboxd")
MODEL = os.environ.get("OPENAI_MODEL", "gpt-5")
console = Console(highlight=False, soft_wrap=True)


async def run(code: str, language: str, *flags: str) -> str:
    """Run code in the sandbox, show it, and return sandboxd's result as JSON.

    The code travels on standard input: it is never part of a command line.
    """
    process = await asyncio.create_subprocess_exec(
        SANDBOXD, "run", "--json", "--lang", language, *flags, "-",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(code.encode())
    if not out:  # no program ran: the agent should know why
        return json.dumps({"success": False, "status": "refused", "error": {"message": err.decode()}})
    result = json.loads(out)
    show(code, language, result)
    # A model needs the beginning of a long output, not all of it.
    result["stdout"], result["stderr"] = result["stdout"][:4000], result["stderr"][:4000]
    return json.dumps(result)


def show(code: str, language: str, result: dict) -> None:
    console.print(Panel(Syntax(code, language, word_wrap=True), title=language, title_align="left"))
    if result["stdout"]:
        text = result["stdout"]
        console.print(text[:500].rstrip() + (" ..." if len(text) > 500 else ""), markup=False)
    colour = "green" if result["success"] else "red"
    cut = ", output cut" if result["stdout_truncated"] else ""
    console.print(
        f"[{colour}]{result['status']}[/]{cut}: {result['fuel_consumed']:,} of {result['fuel_budget']:,} fuel, "
        f"{result['memory_bytes'] / 2**20:.1f} MiB, {result['duration_seconds'] * 1000:.1f} ms"
    )
    if result["error"]:
        console.print(f"[red]{result['error']['type']}[/]", end=": ")
        console.print(result["error"]["message"], markup=False)
        for advice in result["error"]["guidance"]:
            console.print(f"  - {advice}", markup=False)


@contextlib.contextmanager
def model(script: str):
    """Use the real model if there is a key for it, else the one that plays scripts/{script}.json."""
    if os.environ.get("OPENAI_API_KEY"):
        yield
        return
    command = shlex.split(os.environ.get("SCRIPTED_MODEL", "go run ./model"))
    server = subprocess.Popen(
        [*command, str(HERE / "scripts" / f"{script}.json")],
        cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )
    try:
        url = server.stdout.readline().strip()
        if not url:
            raise SystemExit("the scripted model did not start; set OPENAI_API_KEY to use a real one")
        set_tracing_disabled(True)
        set_default_openai_client(AsyncOpenAI(base_url=url, api_key="scripted"), use_for_tracing=False)
        console.print("[dim]no OPENAI_API_KEY: the model is scripted[/]")
        yield
    finally:
        server.stdin.close()
        code = server.wait()
    if code:
        raise SystemExit(code)


def show_calls(items) -> None:
    """Show the programs that ran by the MCP server's tool, which nobody has shown yet."""
    codes = {}
    for item in items:
        if item.type == "tool_call_item" and item.raw_item.name == "execute_code":
            codes[item.raw_item.call_id] = json.loads(item.raw_item.arguments)["code"]
        elif item.type == "tool_call_output_item" and item.raw_item["call_id"] in codes:
            code = codes[item.raw_item["call_id"]]
            parts = item.output if isinstance(item.output, list) else [item.output]
            text = "\n".join(part if isinstance(part, str) else part["text"] for part in parts)
            try:
                result = json.loads(text)
            except ValueError:  # of a program that failed, the SDK passes on the text
                console.print(Panel(Syntax(code, "python", word_wrap=True), title="python", title_align="left"))
                console.print(text, style="red", markup=False)
            else:
                show(code, result["runtime"], result)


async def ask(agent, question: str, session=None) -> None:
    console.print(f"[bold]user:[/] {question}")
    result = await Runner.run(agent, question, session=session, max_turns=20)
    show_calls(result.new_items)
    console.print("[bold]agent:[/]", end=" ")
    console.print(result.final_output, markup=False)
