"""One sandboxd session over several turns, and an agent that learns from its errors."""

import asyncio
import tempfile

from agents import Agent, SQLiteSession, function_tool

from sandbox import MODEL, ask, model, run


async def main() -> None:
    with tempfile.TemporaryDirectory() as data:

        @function_tool
        async def run_python(code: str, fuel: str = "100000000") -> str:
            """Run Python in a session that keeps variables and the files in /app.

            Args:
                code: The program.
                fuel: The most instructions it may use.
            """
            return await run(code, "python", "--data-dir", data, "--session", "notebook",
                             "--persist", "state", "--fuel", fuel)

        agent = Agent(
            name="stateful",
            model=MODEL,
            instructions="Work in the session. If a program fails, do what error.guidance says and try again.",
            tools=[run_python],
        )
        memory = SQLiteSession("stateful")
        await ask(agent, "Remember these temperatures: 18.5, 21.0, 19.5, 24.0", memory)
        await ask(agent, "Write their mean to a file.", memory)
        await ask(agent, "Sum the squares below 400000. Is everything still there?", memory)


with model("stateful"):
    asyncio.run(main())
