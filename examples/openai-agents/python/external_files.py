"""sandboxd as an MCP server that shows a file of yours to the agent, read-only."""

import asyncio
import tempfile

from agents import Agent
from agents.mcp import MCPServerStdio

from sandbox import HERE, MODEL, SANDBOXD, ask, console, model


async def main() -> None:
    sales = HERE / "sales.csv"
    before = sales.read_bytes()
    with tempfile.TemporaryDirectory() as data:
        async with MCPServerStdio(
            params={"command": SANDBOXD, "args": ["mcp", "--data-dir", data, "--external-files", str(sales)]},
            client_session_timeout_seconds=60,
            use_structured_content=True,  # the result with its metrics, not only its text
        ) as server:
            agent = Agent(name="external-files", model=MODEL, mcp_servers=[server],
                          instructions="The user's files are in /external. Write to /app.")
            await ask(agent, "Sum the amounts of /external/sales.csv into a file, in session sales, "
                             "and then try to change sales.csv.")
    console.print("sales.csv is unchanged:", str(sales.read_bytes() == before).lower())


with model("external-files"):
    asyncio.run(main())
