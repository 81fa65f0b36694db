// Functions of this program as tools of the code in the sandbox, over gRPC.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { z } from 'zod';
import { HERE, paint, SANDBOXD, show } from './sandbox.js';
import type { Result } from './sandbox.js';

const protocol = loadSync('sandboxd/v1/sandboxd.proto', {
  includeDirs: [join(HERE, '..', '..', 'plugins', 'rpc', 'proto')],
  keepCase: true, enums: String, longs: Number, defaults: true, oneofs: true,
});
const { Sandbox } = (grpc.loadPackageDefinition(protocol) as any).sandboxd.v1;

const limits = { fuel: 200_000_000, timeout: { seconds: 10 }, stdout: 10_000, stderr: 10_000, tool_calls: 50 };

// A function that the code in the sandbox may call.
export interface HostTool<T extends z.ZodObject = any> {
  name: string;
  description: string;
  parameters: T;
  call(args: z.infer<T>): unknown; // or a promise
}

export const hostTool = <T extends z.ZodObject>(tool: HostTool<T>): HostTool => tool;

// An error whose text the code in the sandbox may read.
export class Refusal extends Error {}

// Connects to the daemon of SANDBOXD_SOCKET, or to one that runs as long as the story lasts.
export async function withDaemon(story: (sandbox: any) => Promise<void>): Promise<void> {
  if (process.env.SANDBOXD_SOCKET) return connected(process.env.SANDBOXD_SOCKET, () => false, story);
  const data = await mkdtemp(join(tmpdir(), 'sandboxd-'));
  const socket = join(data, 'sandboxd.sock');
  const daemon = spawn(
    SANDBOXD,
    ['serve', '--data-dir', data, '--socket', socket, '--runtime', 'python', '--runtime', 'javascript'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const log = text(daemon.stderr);
  const closed = once(daemon, 'close');
  try {
    await connected(socket, () => daemon.exitCode === null && daemon.signalCode === null, story);
  } finally {
    daemon.kill();
    const [code] = await closed;
    if (code !== 0) console.log(paint('red', await log));
    await rm(data, { recursive: true });
  }
}

// Tells the story once the daemon is ready, for which one that starts may need a while.
async function connected(socket: string, starts: () => boolean, story: (sandbox: any) => Promise<void>): Promise<void> {
  const sandbox = new Sandbox(`unix:${socket}`, grpc.credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 100,
  });
  try {
    const info = promisify(sandbox.Info).bind(sandbox);
    for (;;) {
      try {
        await info({});
        break;
      } catch (error) {
        if (!starts() || (error as grpc.ServiceError).code !== grpc.status.UNAVAILABLE) throw error;
      }
      await sleep(100);
    }
    await story(sandbox);
  } finally {
    sandbox.close();
  }
}

const schema = (tool: HostTool): any => z.toJSONSchema(tool.parameters);

// Tells a model how to call tools from its code.
export function describe(tools: HostTool[]): string {
  return [
    'Run a program in a sandbox. It can call the functions below as often as it needs: ' +
      'in Python `import tools` and `tools.NAME(argument=...)`, in JavaScript `await tools.NAME({argument: ...})`. ' +
      'A call that fails raises tools.ToolError, whose text says why. Print what you want to know.',
    ...tools.map((tool) => `- ${tool.name}: ${tool.description} Arguments: ${JSON.stringify(schema(tool).properties)}`),
  ].join('\n');
}

// Runs code that may call these tools and no others, shows it, and returns its result as JSON.
export async function runWithTools(sandbox: any, code: string, language: string, tools: HostTool[]): Promise<string> {
  const stream = sandbox.ExecuteWithTools();

  async function answer({ id, name, arguments: args }: { id: number; name: string; arguments: Buffer }): Promise<void> {
    const reply: { id: number; value?: Buffer; error?: string } = { id };
    try {
      // The schema was checked already. The rest is up to the function: a program that a
      // model wrote, or somebody whose text it read, chose the arguments.
      const tool = tools.find((tool) => tool.name === name)!;
      const value = await tool.call(tool.parameters.parse(JSON.parse(args.toString())));
      reply.value = Buffer.from(JSON.stringify(value ?? null));
    } catch (error) {
      if (!(error instanceof Refusal)) console.error(error); // its text is for this program's owner
      reply.error = error instanceof Refusal ? error.message : 'the tool failed';
    }
    if (stream.writable) stream.write({ answer: reply }); // else the program has ended without it
  }

  const output: Record<string, Buffer[]> = { STREAM_STDOUT: [], STREAM_STDERR: [] };
  let result: any;
  try {
    stream.write({
      start: {
        request: { code, language, limits },
        tools: tools.map((tool) => ({
          name: tool.name,
          description: tool.description,
          schema: Buffer.from(JSON.stringify(schema(tool))),
        })),
      },
    });
    for await (const event of stream) {
      if (event.output) output[event.output.stream].push(event.output.data);
      else if (event.call) void answer(event.call);
      else if (event.result) result = event.result;
    }
  } catch (error) { // no program ran: the agent should know why
    const message = (error as grpc.ServiceError).details;
    return JSON.stringify({ success: false, status: 'refused', error: { message } });
  } finally {
    stream.end();
  }
  // By tool and by what became of the call. A program chose the names, such as "__proto__".
  const used: Record<string, Record<string, number>> = Object.create(null);
  for (const { name, outcome } of result.tools) {
    used[name] ??= {};
    used[name][outcome] = (used[name][outcome] ?? 0) + 1;
  }
  const told: Result & { tools: typeof used } = {
    success: result.success,
    status: result.status,
    stdout: Buffer.concat(output.STREAM_STDOUT).toString(),
    stderr: Buffer.concat(output.STREAM_STDERR).toString(),
    stdout_truncated: result.stdout_truncated,
    fuel_consumed: result.fuel_consumed,
    fuel_budget: result.fuel_budget,
    memory_bytes: result.memory_bytes,
    duration_seconds: result.duration_seconds,
    runtime: result.runtime,
    tools: used,
    error: result.error && {
      type: result.error.type,
      message: result.error.message,
      guidance: result.error.guidance,
    },
  };
  show(code, language, told);
  for (const [name, outcomes] of Object.entries(used)) {
    const counts = Object.entries(outcomes).map(([outcome, n]) => `${n} ${outcome}`);
    console.log(paint('cyan', `tools.${name}: ${counts.join(', ')}`));
  }
  return JSON.stringify(told);
}
