// Two function tools, for Python and JavaScript, with limits that hold.

import { Agent, tool } from '@openai/agents';
import { z } from 'zod';
import { ask, MODEL, run, withModel } from './sandbox.js';

const limits = ['--fuel', '100M', '--memory', '32MiB', '--stdout', '10KB', '--timeout', '5s'];
const parameters = z.object({ code: z.string() });

const runPython = tool({
  name: 'run_python',
  description: 'Run a Python program in a sandbox and return its output and metrics as JSON.',
  parameters,
  execute: ({ code }) => run(code, 'python', ...limits),
});

const runJavaScript = tool({
  name: 'run_javascript',
  description: 'Run a JavaScript program in a sandbox and return its output and metrics as JSON.',
  parameters,
  execute: ({ code }) => run(code, 'javascript', ...limits),
});

const agent = new Agent({
  name: 'basic',
  model: MODEL,
  instructions: 'Compute with the tools, never in your head. If a program fails, read error.guidance.',
  tools: [runPython, runJavaScript],
});

await withModel('basic', () =>
  ask(agent, 'How many primes are below 100, and what are their sum (in Python) and mean (in JavaScript)? ' +
    'Then show what becomes of a loop, a list and an output without end.'));
