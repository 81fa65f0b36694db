// One sandboxd session over several turns, and an agent that learns from its errors.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, MemorySession, tool } from '@openai/agents';
import { z } from 'zod';
import { ask, MODEL, run, withModel } from './sandbox.js';

const data = await mkdtemp(join(tmpdir(), 'sandboxd-'));

const runPython = tool({
  name: 'run_python',
  description: 'Run Python in a session that keeps variables and the files in /app.',
  parameters: z.object({
    code: z.string(),
    fuel: z.string().default('100000000').describe('the most instructions it may use'),
  }),
  execute: ({ code, fuel }) =>
    run(code, 'python', '--data-dir', data, '--session', 'notebook', '--persist', 'state', '--fuel', fuel),
});

const agent = new Agent({
  name: 'stateful',
  model: MODEL,
  instructions: 'Work in the session. If a program fails, do what error.guidance says and try again.',
  tools: [runPython],
});

try {
  await withModel('stateful', async () => {
    const memory = new MemorySession();
    await ask(agent, 'Remember these temperatures: 18.5, 21.0, 19.5, 24.0', memory);
    await ask(agent, 'Write their mean to a file.', memory);
    await ask(agent, 'Sum the squares below 400000. Is everything still there?', memory);
  });
} finally {
  await rm(data, { recursive: true });
}
