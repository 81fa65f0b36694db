// sandboxd as an MCP server that shows a file of yours to the agent, read-only.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, MCPServerStdio } from '@openai/agents';
import { ask, HERE, MODEL, SANDBOXD, withModel } from './sandbox.js';

const data = await mkdtemp(join(tmpdir(), 'sandboxd-'));
const sales = join(HERE, 'sales.csv');
const before = await readFile(sales, 'utf8');

const server = new MCPServerStdio({
  command: SANDBOXD,
  args: ['mcp', '--data-dir', data, '--external-files', sales],
  timeout: 60_000,
  useStructuredContent: true, // the result with its metrics, not only its text
});

try {
  await withModel('external-files', async () => {
    await server.connect();
    try {
      const agent = new Agent({
        name: 'external-files',
        model: MODEL,
        instructions: "The user's files are in /external. Write to /app.",
        mcpServers: [server],
      });
      await ask(agent, 'Sum the amounts of /external/sales.csv into a file, in session sales, ' +
        'and then try to change sales.csv.');
    } finally {
      await server.close();
    }
  });
  console.log('sales.csv is unchanged:', (await readFile(sales, 'utf8')) === before);
} finally {
  await rm(data, { recursive: true });
}
