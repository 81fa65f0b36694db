// Makes the calls that standard input lists, with the TypeScript SDK, and prints each
// answer as a line of JSON. Arguments: "stdio" and a command, or "http", a URL and a token.
import { readFileSync } from "node:fs";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [kind, target, ...rest] = process.argv.slice(2);
const transport = kind === "stdio"
  ? new StdioClientTransport({ command: target, args: rest, env: process.env, stderr: "inherit" })
  : new StreamableHTTPClientTransport(new URL(target), {
      requestInit: { headers: { Authorization: `Bearer ${rest[0]}` } },
    });
const client = new Client({ name: "drive", version: "1" });
await client.connect(transport);
await client.listTools(); // so that the SDK checks answers by the output schemas
for (const { tool, args } of JSON.parse(readFileSync(0, "utf8"))) {
  console.log(JSON.stringify(await client.callTool({ name: tool, arguments: args })));
}
await client.close();
