// What the examples share: sandboxd as a tool, a model to talk to, and pretty output.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { run as runAgent, setDefaultOpenAIClient, setTracingDisabled } from '@openai/agents';
import type { Agent, RunItem, Session } from '@openai/agents';
import OpenAI from 'openai';

export const HERE = fileURLToPath(new URL('..', import.meta.url));
export const SANDBOXD = process.env.SANDBOXD || 'sandboxd';
export const MODEL = process.env.OPENAI_MODEL || 'gpt-5';

export interface Result {
  success: boolean;
  status: string;
  stdout: string;
  stderr: string;
  stdout_truncated: boolean;
  fuel_consumed: number;
  fuel_budget: number;
  memory_bytes: number;
  duration_seconds: number;
  runtime: string;
  error: { type: string; message: string; guidance: string[] } | null;
}

// Runs code in the sandbox, shows it, and returns sandboxd's result as JSON. The code
// travels on standard input: it is never part of a command line.
export async function run(code: string, language: string, ...flags: string[]): Promise<string> {
  const child = spawn(SANDBOXD, ['run', '--json', '--lang', language, ...flags, '-']);
  child.stdin.on('error', () => {}); // it ended without reading: its message says why
  child.stdin.end(code);
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (!out) { // no program ran: the agent should know why
    return JSON.stringify({ success: false, status: 'refused', error: { message: err } });
  }
  const result: Result = JSON.parse(out);
  show(code, language, result);
  // A model needs the beginning of a long output, not all of it.
  return JSON.stringify({ ...result, stdout: result.stdout.slice(0, 4000), stderr: result.stderr.slice(0, 4000) });
}

const colours = process.stdout.isTTY && !process.env.NO_COLOR;
export const paint = (style: Parameters<typeof styleText>[0], s: string) => (colours ? styleText(style, s) : s);

const token = /(#.*|\/\/.*)|('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`)|\b(and|as|class|const|def|else|for|from|function|if|import|in|let|new|not|or|print|return|while)\b|\b(\d[\d_.]*)\b/g;

// Colours a program well enough to read it, in either language.
function highlight(code: string): string {
  return code.replace(token, (all, comment, quoted, keyword) =>
    paint(comment ? 'gray' : quoted ? 'green' : keyword ? 'magenta' : 'cyan', all));
}

export function show(code: string, language: string, result: Result): void {
  console.log(paint('dim', `--- ${language}`));
  console.log(highlight(code));
  console.log(paint('dim', '---'));
  if (result.stdout) {
    console.log(result.stdout.slice(0, 500).trimEnd() + (result.stdout.length > 500 ? ' ...' : ''));
  }
  const n = (value: number) => value.toLocaleString('en-US');
  console.log(
    `${paint(result.success ? 'green' : 'red', result.status)}${result.stdout_truncated ? ', output cut' : ''}: ` +
      `${n(result.fuel_consumed)} of ${n(result.fuel_budget)} fuel, ` +
      `${(result.memory_bytes / 2 ** 20).toFixed(1)} MiB, ${(result.duration_seconds * 1000).toFixed(1)} ms`,
  );
  if (result.error) {
    console.log(`${paint('red', result.error.type)}: ${result.error.message}`);
    for (const advice of result.error.guidance) console.log(`  - ${advice}`);
  }
}

// Uses the real model if there is a key for it, else the one that plays scripts/NAME.json.
export async function withModel(name: string, story: () => Promise<void>): Promise<void> {
  if (process.env.OPENAI_API_KEY) return story();
  const [command, ...args] = (process.env.SCRIPTED_MODEL || 'go run ./model').split(' ');
  const server = spawn(command, [...args, `${HERE}scripts/${name}.json`], {
    cwd: HERE,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const closed = once(server, 'close');
  try {
    const first = await Promise.race([once(createInterface(server.stdout), 'line'), closed]);
    const url = String(first[0]);
    if (!url.startsWith('http')) {
      throw new Error('the scripted model did not start; set OPENAI_API_KEY to use a real one');
    }
    setTracingDisabled(true);
    setDefaultOpenAIClient(new OpenAI({ baseURL: url, apiKey: 'scripted' }));
    console.log(paint('dim', 'no OPENAI_API_KEY: the model is scripted'));
    await story();
  } finally {
    server.stdin.end();
    process.exitCode = Number((await closed)[0]) || 0;
  }
}

// Shows the programs that ran by the MCP server's tool, which nobody has shown yet.
function showCalls(items: RunItem[]): void {
  const codes = new Map<string, string>();
  for (const item of items) {
    const raw = item.rawItem;
    if (raw?.type === 'function_call' && raw.name === 'execute_code') {
      codes.set(raw.callId, JSON.parse(raw.arguments).code);
    } else if (raw?.type === 'function_call_result' && codes.has(raw.callId)) {
      const code = codes.get(raw.callId)!;
      const parts = [raw.output].flat() as (string | { text: string })[];
      const output = parts.map((part) => (typeof part === 'string' ? part : part.text)).join('\n');
      let result: Result;
      try {
        result = JSON.parse(output);
      } catch { // of a program that failed, the SDK passes on the text
        console.log(highlight(code));
        console.log(paint('red', output));
        continue;
      }
      show(code, result.runtime, result);
    }
  }
}

export async function ask(agent: Agent<any, any>, question: string, session?: Session): Promise<void> {
  console.log(`${paint('bold', 'user:')} ${question}`);
  const result = await runAgent(agent, question, { session, maxTurns: 20 });
  showCalls(result.newItems);
  console.log(`${paint('bold', 'agent:')} ${result.finalOutput}`);
}
