// Checks of sandboxd-client.ts against a real daemon. What the shell in the sandbox does,
// the checks of the Python client say.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { dir, file, gitRepo, InMemoryRemoteSnapshotStore, localDir, mount } from '@openai/agents/sandbox';
import type { ManifestInput } from '@openai/agents/sandbox';
import { SandboxdSandboxClient } from './sandboxd-client.js';
import { withDaemon } from './sandboxd-daemon.js';

await withDaemon(['python', 'javascript'], async (where) => {
  const client = new SandboxdSandboxClient(where);
  const make = async (t: TestContext, manifest?: ManifestInput) => {
    const session = await client.create({ manifest });
    t.after(() => session.delete());
    return session;
  };
  const text = (data: Uint8Array) => Buffer.from(data).toString();
  const tar = (name: string, type: string, link = '') => {
    const header = Buffer.alloc(512);
    header.write(name);
    header.write('0000644\0', 100);
    header.write('00000000000\0', 124);
    header.write('        ', 148);
    header.write(type, 156);
    header.write(link, 157);
    header.write('ustar\x0000', 257);
    header.write(`${header.reduce((sum, byte) => sum + byte).toString(8).padStart(6, '0')}\0 `, 148);
    return Buffer.concat([header, Buffer.alloc(1024)]);
  };

  await test('commands', async (t) => {
    const session = await make(t, { entries: { data: dir({}) }, environment: { CITY: 'Rome' } });
    const commands: [string, number, string, string][] = [
      ["echo $CITY | tr a-z A-Z; python3 -c 'print(6 * 7)'; node -e 'console.log(7)'", 0, 'ROME\n42\n7\n', ''],
      ["python3 - <<'EOF' | sort -r\nprint(1)\nprint(2)\nEOF", 0, '2\n1\n', ''],
      ["python3 -c 'raise SystemExit(3)'", 3, '', ''],
      ["python3 -c 'print(\"x\" * 50000)' > t; cat t t | python3 -c 'import sys; print(len(sys.stdin.read()))'; ls -A", 0, '100002\ndata\nt\n', ''],
      ['gcc x.c', 127, '', 'gcc: no such command'],
      ['cat /etc/passwd', 1, '', 'cat: '],
      ["python3 -c 'while True: pass'", 137, '', 'out_of_fuel'],
    ];
    for (const [cmd, exitCode, stdout, stderr] of commands) {
      const result = await session.exec({ cmd });
      assert.deepEqual([result.exitCode, result.stdout], [exitCode, stdout], cmd + result.stderr);
      assert.ok(stderr ? result.stderr.includes(stderr) : result.stderr === '', cmd + result.stderr);
    }
    assert.equal((await session.exec({ cmd: 'pwd', workdir: 'data' })).stdout, '/app/data\n');
    assert.match(await session.execCommand({ cmd: 'echo hi' }), /exited with code 0\nOutput:\nhi\n$/);
    assert.match((await session.exec({ cmd: "python3 -c 'print(\"x\" * 5000)'", maxOutputTokens: 10 })).output, /4961 characters left out/);
    const slow = await session.exec({ cmd: "python3 -c 'while True: __import__(\"time\").sleep(0.01)'", yieldTimeMs: 500 });
    assert.equal(slow.exitCode, 124);
    assert.match(slow.stderr, /time for this command is up/);
    await assert.rejects(session.exec({ cmd: 'true', runAs: 'root' }), /no users/);
    await assert.rejects(session.exec({ cmd: 'true', workdir: '/etc' }), /escapes/);
  });

  await test('files', async (t) => {
    const session = await make(t);
    const data = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 256));
    await session.writeFile('deep/a b%2F#?.bin', data);
    assert.deepEqual(Buffer.from(await session.readFile({ path: '/app/deep/a b%2F#?.bin' })), data);
    assert.deepEqual(Buffer.from(await session.readFile({ path: 'deep/a b%2F#?.bin', maxBytes: 5 })), data.subarray(0, 5));
    assert.deepEqual(await session.listDir({ path: '.' }), [{ name: 'deep', path: 'deep', type: 'dir' }]);
    assert.deepEqual([await session.pathExists('deep'), await session.directoryExists('deep'), await session.pathExists('x')], [true, true, false]);
    await assert.rejects(session.readFile({ path: 'x' }), /not found/);
    await assert.rejects(session.listDir({ path: 'x' }), /no such directory/);
    for (const path of ['../../etc/passwd', '/etc/passwd', '/app/../etc/passwd', 'a/../../etc/passwd']) {
      await assert.rejects(session.readFile({ path }), /escape/, path);
      await assert.rejects(session.writeFile(path, 'x'), /escape/, path);
      await assert.rejects(session.listDir({ path }), /escape/, path);
      await assert.rejects(Promise.resolve(session.createEditor().deleteFile({ type: 'delete_file', path })), /escape/, path);
    }
    await session.writeFile('dot.png', Buffer.from('89504e470d0a1a0a', 'hex'));
    assert.equal((await session.viewImage({ path: 'dot.png' })).image.mediaType, 'image/png');
    await assert.rejects(session.viewImage({ path: 'deep/a b%2F#?.bin' }), /Unsupported image format/);
  });

  await test('patches', async (t) => {
    const session = await make(t);
    const editor = session.createEditor();
    await editor.createFile({ type: 'create_file', path: 'src/a.py', diff: '+print(1)\n+print(2)' });
    await editor.updateFile({ type: 'update_file', path: 'src/a.py', diff: '@@\n-print(1)\n+print(3)\n print(2)', moveTo: 'b.py' });
    assert.equal((await session.exec({ cmd: 'python3 b.py; ls src' })).stdout, '3\n2\n');
    const again = await editor.createFile({ type: 'create_file', path: 'b.py', diff: '+no' });
    assert.equal(again && again.status, 'failed');
    await editor.deleteFile({ type: 'delete_file', path: 'b.py' });
    assert.equal(await session.pathExists('b.py'), false);
  });

  await test('a manifest becomes files', async (t) => {
    const source = await mkdtemp(join(tmpdir(), 'sandboxd-'));
    t.after(() => rm(source, { recursive: true }));
    await writeFile(join(source, 'x.py'), 'print(7)');
    const tree = dir({ children: { 'a.txt': file({ content: 'a' }), empty: dir({}), local: localDir({ src: source }) } });
    const session = await make(t, { entries: { tree, 'secret.txt': file({ content: 's', ephemeral: true }) } });
    assert.equal((await session.exec({ cmd: 'ls . tree; python3 tree/local/x.py' })).stdout, '.:\nsecret.txt\ntree\ntree:\na.txt\nempty\nlocal\n7\n');
    const other = await make(t);
    await other.hydrateWorkspace(await session.persistWorkspace());
    assert.equal((await other.exec({ cmd: 'ls; cat tree/a.txt' })).stdout, 'tree\na');
    assert.equal(await session.pathExists('secret.txt'), true);
  });

  await test('hostile archives', async (t) => {
    const session = await make(t);
    for (const archive of [tar('../evil', '0'), tar('/etc/evil', '0'), tar('a/../../evil', '0')]) {
      await assert.rejects(session.hydrateWorkspace(archive), { code: 'invalid_argument' });
    }
    await assert.rejects(session.hydrateWorkspace(Buffer.alloc(4096, 'x')), /unpack/);
    for (const archive of [tar('link', '2', '/etc/passwd'), tar('pipe', '6')]) await session.hydrateWorkspace(archive);
    assert.deepEqual(await session.listDir({ path: '.' }), []);
  });

  await test('sessions end, and come back', async (t) => {
    const keeping = new SandboxdSandboxClient({ ...where, snapshot: { type: 'remote', store: new InMemoryRemoteSnapshotStore() } });
    const session = await keeping.create({ manifest: { entries: { a: file({ content: '1' }), e: file({ content: 'e', ephemeral: true }) } } });
    t.after(() => session.delete());
    await session.exec({ cmd: 'echo 2 > a' });
    const state = { ...JSON.parse(JSON.stringify(await keeping.serializeSessionState(session.state))), manifest: session.state.manifest };
    const live = await keeping.resume(await keeping.deserializeSessionState(state));
    assert.equal((await live.exec({ cmd: 'cat a' })).stdout, '2\n');
    await live.exec({ cmd: 'echo 3 > a' }); // after the snapshot
    await session.delete();
    await session.close();
    assert.equal(await session.running(), false);
    const back = await keeping.resume(await keeping.deserializeSessionState(state));
    assert.equal((await back.exec({ cmd: 'cat a e' })).stdout, '2\ne');
    await back.delete();
    await assert.rejects(client.resume({ ...session.state, snapshot: undefined }), /is gone/);
    await assert.rejects(client.deserializeSessionState({}), /sandboxdSession/);
  });

  await test('what there is not is refused', async () => {
    const manifests: [ManifestInput, RegExp][] = [
      [{ root: '/srv' }, /root/],
      [{ users: [{ name: 'u' }] }, /users/],
      [{ extraPathGrants: [{ path: '/etc' }] }, /extraPathGrants/],
      [{ entries: { m: mount({ source: '/tmp' }) } }, /mounts/],
      [{ entries: { r: gitRepo({ repo: 'o/r' }) } }, /git_repo/],
    ];
    for (const [manifest, reason] of manifests) await assert.rejects(client.create({ manifest }), reason);
    await assert.rejects(client.create({ snapshot: { type: 'local' } }), /type local/);
    const nobody = new SandboxdSandboxClient({ socket: '/nowhere.sock' });
    assert.equal(await nobody.ready(), false);
    await assert.rejects(nobody.create(), { code: 'unavailable' });
  });
});
