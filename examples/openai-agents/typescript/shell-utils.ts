// Shell-like helpers and data helpers, sandbox_utils, inside the sandbox.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, tool } from '@openai/agents';
import { z } from 'zod';
import { ask, MODEL, run, withModel } from './sandbox.js';

const data = await mkdtemp(join(tmpdir(), 'sandboxd-'));

const runPython = tool({
  name: 'run_python',
  description:
    'Run Python in a session. There is no shell: import ls, grep, wc, find, sed, csv_to_json, group_by and others from sandbox_utils.',
  parameters: z.object({ code: z.string() }),
  execute: ({ code }) => run(code, 'python', '--data-dir', data, '--session', 'files'),
});

const agent = new Agent({
  name: 'shell-utils',
  model: MODEL,
  instructions: 'Work on files with sandbox_utils, in Python.',
  tools: [runPython],
});

try {
  await withModel('shell-utils', () =>
    ask(agent, 'Make a small web server log and find the failed requests; then sum sales by region.'));
} finally {
  await rm(data, { recursive: true });
}
