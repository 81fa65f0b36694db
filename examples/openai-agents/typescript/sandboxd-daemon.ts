// A daemon for as long as a program wants one.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { SANDBOXD } from './sandbox.js';
import { SandboxdSandboxClient } from './sandboxd-client.js';

// Gives where to find the daemon at $SANDBOXD_SOCKET, or one that is started, and ended, for the story.
export async function withDaemon(runtimes: string[], story: (where: { socket?: string }) => Promise<void>): Promise<void> {
  if (process.env.SANDBOXD_SOCKET) return story({});
  const directory = await mkdtemp(join(tmpdir(), 'sandboxd-'));
  const socket = join(directory, 'sandboxd.sock');
  const flags = runtimes.flatMap((name) => ['--runtime', name]);
  const child = spawn(SANDBOXD, ['serve', '--socket', socket, '--data-dir', join(directory, 'data'), ...flags], { stdio: 'ignore' });
  const closed = once(child, 'close');
  try {
    const client = new SandboxdSandboxClient({ socket });
    while (!(await client.ready())) {
      if (child.exitCode !== null) throw new Error('sandboxd serve did not start');
      await setTimeout(100);
    }
    await story({ socket });
  } finally {
    child.kill();
    await closed;
    await rm(directory, { recursive: true, force: true });
  }
}
