"""Shell-like helpers and data helpers, sandbox_utils, inside the sandbox."""

import asyncio
import tempfile

from agents import Agent, function_tool

from sandbox import MODEL, ask, model, run


async def main() -> None:
    with tempfile.TemporaryDirectory() as data:

        @function_tool
        async def run_python(code: str) -> str:
            """Run Python in a session. There is no shell: import ls, grep, wc, find, sed, csv_to_json,
            group_by and others from sandbox_utils."""
            return await run(code, "python", "--data-dir", data, "--session", "files")

        agent = Agent(name="shell-utils", model=MODEL, tools=[run_python],
                      instructions="Work on files with sandbox_utils, in Python.")
        await ask(agent, "Make a small web server log and find the failed requests; then sum sales by region.")


with model("shell-utils"):
    asyncio.run(main())
