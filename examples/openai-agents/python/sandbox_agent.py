"""One of the SDK's sandbox agents, with a shell, patches and files, in sandboxd."""

import asyncio
import json
import tempfile
from pathlib import Path

from agents import RunConfig, Runner, SQLiteSession
from agents.sandbox import LocalSnapshotSpec, Manifest, SandboxAgent, SandboxRunConfig
from agents.sandbox.capabilities import Filesystem
from agents.sandbox.entries import File
from rich.panel import Panel
from rich.syntax import Syntax

from sandbox import HERE, MODEL, console, model
from sandboxd_client import SandboxdShell
from sandboxd_daemon import daemon


async def ask(agent, question: str, session, memory) -> None:
    """Ask, and show which commands and patches the agent answers with."""
    console.print(f"[bold]user:[/] {question}")
    config = RunConfig(sandbox=SandboxRunConfig(session=session))
    result = await Runner.run(agent, question, session=memory, run_config=config, max_turns=20)
    for item in result.new_items:
        if item.type == "tool_call_item":
            command = item.raw_item.type == "function_call"  # a patch is free text
            text = json.loads(item.raw_item.arguments)["cmd"] if command else item.raw_item.input
            syntax = Syntax(text, "bash" if command else "diff", word_wrap=True)
            console.print(Panel(syntax, title=item.raw_item.name, title_align="left"))
        elif item.type == "tool_call_output_item":
            console.print(str(item.output).split("Output:\n", 1)[-1], markup=False)
    console.print("[bold]agent:[/]", end=" ")
    console.print(result.final_output, markup=False)


async def main() -> None:
    agent = SandboxAgent(
        name="analyst",
        model=MODEL,
        instructions="Answer from the files in /app.",
        capabilities=[Filesystem(), SandboxdShell()],
    )
    memory = SQLiteSession("analyst")
    manifest = Manifest(entries={"sales.csv": File(content=(HERE / "sales.csv").read_bytes())})
    with tempfile.TemporaryDirectory() as directory:
        async with daemon(directory, "python") as client:
            snapshot = LocalSnapshotSpec(base_path=Path(directory) / "snapshots")
            session = await client.create(manifest=manifest, snapshot=snapshot)
            async with session:
                await ask(agent, "Which region sells most? Keep the program that finds out.", session, memory)
            state = client.serialize_session_state(session.state)
            await client.delete(session)

            console.print("[dim]the sandbox is gone; its snapshot is not[/]")
            session = await client.resume(client.deserialize_session_state(state))
            async with session:
                await ask(agent, "Run it again, after a sale of 200 in the west.", session, memory)
            await client.delete(session)


with model("sandbox-agent"):
    asyncio.run(main())
