"""Two function tools, for Python and JavaScript, with limits that hold."""

import asyncio

from agents import Agent, function_tool

from sandbox import MODEL, ask, model, run

LIMITS = ("--fuel", "100M", "--memory", "32MiB", "--stdout", "10KB", "--timeout", "5s")


@function_tool
async def run_python(code: str) -> str:
    """Run a Python program in a sandbox and return its output and metrics as JSON."""
    return await run(code, "python", *LIMITS)


@function_tool
async def run_javascript(code: str) -> str:
    """Run a JavaScript program in a sandbox and return its output and metrics as JSON."""
    return await run(code, "javascript", *LIMITS)


agent = Agent(
    name="basic",
    model=MODEL,
    instructions="Compute with the tools, never in your head. If a program fails, read error.guidance.",
    tools=[run_python, run_javascript],
)

with model("basic"):
    asyncio.run(ask(agent, "How many primes are below 100, and what are their sum (in Python) and mean (in "
                           "JavaScript)? Then show what becomes of a loop, a list and an output without end."))
