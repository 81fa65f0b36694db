// One of the SDK's sandbox agents, with a shell, patches and files, in sandboxd.

import { readFile } from 'node:fs/promises';
import { MemorySession, run } from '@openai/agents';
import { file, filesystem, InMemoryRemoteSnapshotStore, SandboxAgent } from '@openai/agents/sandbox';
import { HERE, MODEL, withModel } from './sandbox.js';
import { sandboxdShell, SandboxdSandboxClient } from './sandboxd-client.js';
import type { SandboxdSandboxSession } from './sandboxd-client.js';
import { withDaemon } from './sandboxd-daemon.js';

const memory = new MemorySession();
const agent = new SandboxAgent({
  name: 'analyst',
  model: MODEL,
  instructions: 'Answer from the files in /app.',
  capabilities: [filesystem(), sandboxdShell()],
});

// Asks, and shows which commands and patches the agent answers with.
async function ask(question: string, session: SandboxdSandboxSession): Promise<void> {
  console.log(`user: ${question}`);
  const result = await run(agent, question, { session: memory, sandbox: { session }, maxTurns: 20 });
  for (const { rawItem: item } of result.newItems) {
    if (item?.type === 'function_call') console.log(`$ ${JSON.parse(item.arguments).cmd}`);
    else if (item?.type === 'apply_patch_call') console.log(`--- ${item.operation.path}\n${'diff' in item.operation ? item.operation.diff : ''}\n---`);
    else if (item?.type === 'apply_patch_call_output') console.log(item.output);
    else if (item?.type === 'function_call_result') {
      const [output] = [item.output].flat() as (string | { text: string })[];
      console.log((typeof output === 'string' ? output : output.text).split('Output:\n', 2).at(-1));
    }
  }
  console.log(`agent: ${result.finalOutput}`);
}

await withModel('sandbox-agent', () => withDaemon(['python'], async (where) => {
  const snapshot = { type: 'remote' as const, store: new InMemoryRemoteSnapshotStore() };
  const client = new SandboxdSandboxClient({ ...where, snapshot });
  const manifest = { entries: { 'sales.csv': file({ content: await readFile(`${HERE}sales.csv`) }) } };
  let session = await client.create({ manifest });
  await ask('Which region sells most? Keep the program that finds out.', session);
  const state = JSON.stringify(await client.serializeSessionState(session.state));
  await session.delete();

  console.log('the sandbox is gone; its snapshot is not');
  session = await client.resume(await client.deserializeSessionState(JSON.parse(state)));
  await ask('Run it again, after a sale of 200 in the west.', session);
  await session.delete();
}));
