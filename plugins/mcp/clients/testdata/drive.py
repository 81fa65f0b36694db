"""Makes the calls that standard input lists, with the Python SDK, and prints each answer
as a line of JSON. Arguments: "stdio" and a command, or "http", a URL and a token."""

import asyncio
import contextlib
import json
import os
import sys

from mcp import ClientSession, StdioServerParameters, stdio_client
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client


async def main(kind, target, *rest):
    async with contextlib.AsyncExitStack() as stack:
        if kind == "stdio":
            transport = stdio_client(StdioServerParameters(command=target, args=list(rest), env=dict(os.environ)))
        else:
            http = create_mcp_http_client(headers={"Authorization": f"Bearer {rest[0]}"})
            transport = streamable_http_client(target, http_client=http)
        streams = await stack.enter_async_context(transport)
        session = await stack.enter_async_context(ClientSession(streams[0], streams[1]))
        await session.initialize()
        await session.list_tools()
        for step in json.load(sys.stdin):
            answer = await session.call_tool(step["tool"], step["args"])
            print(json.dumps(answer.model_dump(mode="json", by_alias=True)), flush=True)


asyncio.run(main(*sys.argv[1:]))
