// sandboxd as a backend of the OpenAI Agents SDK's sandbox agents.
//
//   const client = new SandboxdSandboxClient();          // the daemon on its Unix socket
//   const agent = new SandboxAgent({ name: 'analyst', capabilities: [filesystem(), sandboxdShell()] });
//   await run(agent, '...', { sandbox: { client } });
//
// Each session of the SDK's is a session of `sandboxd serve`; its files are in /app.
// Commands are carried out by a small shell that runs inside the sandbox (../guest) and
// knows python3, node, ruby and what one does with files. There is no operating system
// behind it: no users, ports, mounts, terminals or processes that go on in the
// background, and the client refuses what asks for them instead of pretending.

import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { request as http } from 'node:http';
import { request as https } from 'node:https';
import { join, posix } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { applyDiff } from '@openai/agents';
import type { Editor } from '@openai/agents';
import {
  isMount,
  Manifest,
  normalizeSandboxClientCreateArgs,
  SandboxUnsupportedFeatureError,
  SandboxWorkspaceReadNotFoundError,
  shell,
  WorkspacePathPolicy,
} from '@openai/agents/sandbox';
import type {
  Entry,
  ExecCommandArgs,
  RemoteSnapshotSpec,
  SandboxClient,
  SandboxClientCreateArgs,
  SandboxDirectoryEntry,
  SandboxExecResult,
  SandboxSession,
  SandboxSessionState,
  SnapshotSpec,
} from '@openai/agents/sandbox';

const ROOT = '/app';
const GUEST = fileURLToPath(new URL('../guest/', import.meta.url));
const MODULES = ['reader', 'commands', 'programs', 'files', 'text', 'shell'];
const PIECE = 256 << 10; // of an archive on its way
const STEPS = 200; // programs in one command line
const INPUT = '.sandboxd-input'; // where the shell puts what is too long for its answer
const MAX_IMAGE = 10 << 20;

const INSTRUCTIONS = `
Programs run in WebAssembly, and there is no operating system around them:
- \`exec_command\` knows \`python3\`, \`node\` and \`ruby\`, and \`ls\`, \`cat\`, \`grep\`, \`find\`, \`sed\`, \`sort\`, \`head\`, \`wc\`,
  \`mkdir\`, \`cp\`, \`mv\`, \`rm\` and the like. Pipes, redirections, here-documents, \`&&\`, \`||\` and \`;\` work. Loops,
  conditions, functions, \`$(...)\` and \`&\` do not: write Python instead.
- Nothing can be installed: there is no pip, npm, git, curl or compiler. Python has its standard library; its
  module \`sandbox_utils\` has helpers for files and data.
- Each command begins in /app, which holds your files, and has ended when its output is there. Fuel, memory, time
  and output are limited; what a command says on stderr tells you which limit it met, and what to do.
`.trim();

type Json = Record<string, any>;

// The daemon refused a request, or could not be reached. The code is Connect's name for the reason.
export class SandboxdError extends Error {
  constructor(readonly code: string, message: string) {
    super(message);
  }
}

// A connection to `sandboxd serve`: its procedures by Connect with JSON, its files by HTTP.
class Daemon {
  private compiled?: Promise<{ names: [string, number][]; code: Buffer }>;

  constructor(private readonly where: { socket?: string; url?: string; token?: string }) {
    const runtime = process.env.XDG_RUNTIME_DIR;
    where.socket ||= process.env.SANDBOXD_SOCKET || (runtime && join(runtime, 'sandboxd', 'sandboxd.sock'));
    if (!where.socket && !where.url) {
      throw new Error('where is sandboxd serve? Give socket, or url and token, or set SANDBOXD_SOCKET');
    }
  }

  async send(method: string, path: string, body?: Uint8Array | string, type = 'application/json'): Promise<Buffer> {
    const { socket, url, token } = this.where;
    const headers: Record<string, string> = body === undefined ? {} : { 'Content-Type': type };
    if (token) headers.Authorization = `Bearer ${token}`;
    const options = { method, headers };
    let status: number, answer: Buffer;
    try {
      const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
        const request = !url
          ? http({ ...options, socketPath: socket, path }, resolve)
          : url.startsWith('https:') ? https(new URL(path, url), options, resolve) : http(new URL(path, url), options, resolve);
        request.on('error', reject).end(body);
      });
      status = response.statusCode ?? 0;
      answer = await buffer(response);
    } catch (error) {
      throw new SandboxdError('unavailable', `sandboxd cannot be reached: ${(error as Error).message}`);
    }
    if (status < 200 || status > 299) throw refused(status, answer);
    return answer;
  }

  // Calls a procedure that is no stream.
  async call(procedure: string, request: Json): Promise<Json> {
    return JSON.parse((await this.send('POST', `/sandboxd.v1.Sandbox/${procedure}`, JSON.stringify(request))).toString());
  }

  // Calls a procedure of whose requests and answers there are several.
  async stream(procedure: string, requests: Json[]): Promise<Json[]> {
    const body = Buffer.concat(requests.flatMap((request) => {
      const message = Buffer.from(JSON.stringify(request));
      const head = Buffer.alloc(5);
      head.writeUInt32BE(message.length, 1);
      return [head, message];
    }));
    const answer = await this.send('POST', `/sandboxd.v1.Sandbox/${procedure}`, body, 'application/connect+json');
    const messages: Json[] = [];
    for (let at = 0; at + 5 <= answer.length;) {
      const flags = answer[at];
      const end = at + 5 + answer.readUInt32BE(at + 1);
      const message = JSON.parse(answer.subarray(at + 5, end).toString());
      if (flags & 2) {
        if (message.error) throw new SandboxdError(message.error.code ?? 'unknown', message.error.message ?? '');
        return messages;
      }
      messages.push(message);
      at = end;
    }
    throw new SandboxdError('unavailable', 'the connection to sandboxd ended early');
  }

  async ready(): Promise<boolean> {
    try {
      await this.send('GET', '/readyz');
      return true;
    } catch (error) {
      if ((error as SandboxdError).code === 'unavailable') return false;
      throw error;
    }
  }

  // The modules of the guest's shell: names with sizes, and code. They are compiled once,
  // in a sandbox of their own in which nobody else's program ran: compiling them in each
  // call would take most of a call's fuel.
  shell(): Promise<{ names: [string, number][]; code: Buffer }> {
    this.compiled ??= this.compile().catch((error) => {
      this.compiled = undefined;
      throw error;
    });
    return this.compiled;
  }

  private async compile(): Promise<{ names: [string, number][]; code: Buffer }> {
    const program = await readFile(join(GUEST, 'compile.py'), 'utf8');
    const names: [string, number][] = [];
    const parts: Buffer[] = [];
    for (const name of MODULES) {
      const stdin = (await readFile(join(GUEST, `${name}.py`))).toString('base64');
      const { result } = await this.call('Run', { language: 'python', code: program, filename: 'compile.py', args: [name], stdin });
      if (!result.displays?.length) {
        throw new SandboxdError('failed_precondition', `compile the shell, ${name}.py: ${result.error?.message ?? result.status}`);
      }
      parts.push(Buffer.from(result.displays[0].data['text/plain'], 'base64'));
      names.push([name, parts.at(-1)!.length]);
    }
    return { names, code: Buffer.concat(parts) };
  }
}

// The error in an answer, of a procedure or of a request for a file.
function refused(status: number, body: Buffer): SandboxdError {
  const kinds: Record<string, string> = {
    exists: 'already_exists', denied: 'permission_denied', invalid: 'invalid_argument',
    busy: 'resource_exhausted', exhausted: 'resource_exhausted', conflict: 'failed_precondition',
  };
  try {
    const answer = JSON.parse(body.toString());
    const error = answer.error ?? answer;
    const code = error.code ?? error.kind ?? (status === 503 ? 'unavailable' : 'unknown');
    return new SandboxdError(kinds[code] ?? code, error.message ?? '');
  } catch {
    return new SandboxdError('unknown', `sandboxd answered with status ${status}`);
  }
}

export interface SandboxdSandboxClientOptions extends Record<string, unknown> {
  // The profile whose limits and grants hold; without one, the caller's default profile.
  profile?: string;
}

// What finds a session again. It holds no token.
export interface SandboxdSandboxSessionState extends SandboxSessionState {
  sandboxdSession: string;
  profile?: string;
  snapshotSpec?: SnapshotSpec;
}

// A session of the daemon's, with files in /app and no process between two commands.
export class SandboxdSandboxSession implements SandboxSession<SandboxdSandboxSessionState> {
  private limit?: number; // milliseconds that the profile gives a program

  constructor(readonly state: SandboxdSandboxSessionState, private readonly daemon: Daemon) {}

  supportsPty(): boolean {
    return false;
  }

  async running(): Promise<boolean> {
    try {
      await this.daemon.call('GetSession', { sessionId: this.state.sandboxdSession });
      return true;
    } catch (error) {
      if ((error as SandboxdError).code === 'not_found') return false;
      throw error;
    }
  }

  // Makes the daemon's session, with the files of the manifest or of the snapshot.
  async begin(): Promise<void> {
    const { sandboxdSession, profile } = this.state;
    await this.daemon.call('CreateSession', { sessionId: sandboxdSession, language: 'python', ...(profile ? { profile } : {}) });
  }

  async delete(): Promise<void> {
    try {
      await this.daemon.call('DestroySession', { sessionId: this.state.sandboxdSession });
    } catch (error) {
      if ((error as SandboxdError).code !== 'not_found') throw error;
    }
  }

  close(): Promise<void> {
    return this.delete();
  }

  // Commands.

  async execCommand(args: ExecCommandArgs): Promise<string> {
    const result = await this.exec(args);
    return [
      `Wall time: ${result.wallTimeSeconds.toFixed(4)} seconds`,
      `Process exited with code ${result.exitCode}`,
      'Output:',
      result.output,
    ].join('\n');
  }

  async exec(args: ExecCommandArgs): Promise<SandboxExecResult> {
    refuseUser(args.runAs);
    const begun = Date.now();
    const directory = this.resolve(args.workdir ?? '.').path;
    const timeout = args.yieldTimeMs ?? 10_000;
    const command = directory === ROOT ? args.cmd : `cd '${directory.replaceAll("'", "'\\''")}' || exit\n${args.cmd}`;
    const { stdout, stderr, exitCode } = await this.run(['sh', '-c', command], begun + timeout);
    const joined = stdout && stderr && !stdout.endsWith('\n') ? `${stdout}\n${stderr}` : stdout + stderr;
    const most = (args.maxOutputTokens ?? Infinity) * 4; // a token has about four characters
    const output = joined.length <= most
      ? joined
      : `${joined.slice(0, most / 2)}\n... ${joined.length - most} characters left out ...\n${joined.slice(-most / 2)}`;
    return { output, stdout, stderr, exitCode, wallTimeSeconds: (Date.now() - begun) / 1000 };
  }

  // Lets the shell run, and the programs that it asks for, until it says that it is done.
  private async run(argv: string[], deadline: number): Promise<{ stdout: string; stderr: string; exitCode: number }> {
    const { names, code: modules } = await this.daemon.shell();
    const start = await readFile(join(GUEST, 'start.py'), 'utf8');
    let request: Json = { argv, env: await this.state.manifest.resolveEnvironment() };
    let [stdout, stderr, notes] = ['', '', ''];
    const done = (exitCode: number) => ({ stdout, stderr: stderr + notes, exitCode });
    try {
      for (let step = 0; step < STEPS; step++) {
        const head = Buffer.from(`${JSON.stringify(names)}\n${JSON.stringify(request)}\n`);
        const stdin = Buffer.concat([head, modules]).toString('base64');
        let result = await this.program(deadline, { language: 'python', code: start, filename: '<shell>', stdin });
        stdout += result.stdout ?? '';
        stderr += result.stderr ?? '';
        notes += notesOf(result);
        if (!result.displays?.length) return done(result.exitCode ?? 1); // a limit stopped the shell
        const answer = JSON.parse(result.displays.at(-1).data['application/json']);
        if (answer.exit !== undefined) return done(answer.exit);
        // The answer comes from the sandbox: it may say what to run, not in which session or with which limits.
        const { language, code, filename, args, env, stdin: given, capture } = answer.run;
        let input = given;
        if (input === null) {
          input = Buffer.from(await this.readFile({ path: INPUT })).toString('base64');
          await this.daemon.call('DeleteFile', { sessionId: this.state.sandboxdSession, path: INPUT });
        }
        try {
          result = await this.program(deadline, { language, code, filename, args, env, stdin: input });
        } catch (error) {
          if (!['not_found', 'invalid_argument', 'permission_denied'].includes((error as SandboxdError).code)) throw error;
          result = { exitCode: 127, stderr: `sandboxd: ${language}: ${(error as Error).message}\n` };
        }
        notes += notesOf(result);
        const finished: Json = { exit: result.exitCode ?? 0 };
        if (capture) {
          finished.stdout = Buffer.from(result.stdout ?? '').toString('base64');
          finished.stderr = Buffer.from(result.stderr ?? '').toString('base64');
        } else {
          stdout += result.stdout ?? '';
          stderr += result.stderr ?? '';
        }
        if (answer.state === null) return done(finished.exit);
        request = { state: answer.state, result: finished };
      }
      notes += `sandboxd: a command line may run ${STEPS} programs\n`;
      return done(1);
    } catch (error) {
      if (!(error instanceof TimeUp)) throw error;
      notes += 'sandboxd: the time for this command is up; yield_time_ms asks for more, as far as the profile goes\n';
      return done(124);
    }
  }

  private async program(deadline: number, program: Json): Promise<Json> {
    const left = deadline - Date.now();
    if (left <= 0) throw new TimeUp();
    const request: Json = { sessionId: this.state.sandboxdSession, ...program };
    // A request may only tighten the profile's timeout.
    const short = left < (await this.profileTimeout());
    if (short) request.limits = { timeout: `${(left / 1000).toFixed(3)}s` };
    const { result } = await this.daemon.call('Run', request);
    if (short && result.status === 'timeout') throw new TimeUp();
    return result;
  }

  private async profileTimeout(): Promise<number> {
    if (this.limit === undefined) {
      const { session } = await this.daemon.call('GetSession', { sessionId: this.state.sandboxdSession });
      const { profiles } = await this.daemon.call('ListProfiles', {});
      const profile = profiles?.find((p: Json) => p.name === session.profile);
      this.limit = profile ? parseFloat(profile.timeout) * 1000 : 0;
    }
    return this.limit;
  }

  // Files.

  private resolve(path: string): { path: string; relative: string } {
    const policy = new WorkspacePathPolicy({ root: ROOT });
    const resolved = policy.resolve(path);
    return { path: resolved.path, relative: posix.relative(ROOT, resolved.path) || '.' };
  }

  private url(path: string): string {
    const parts = this.resolve(path).relative.split('/').map(encodeURIComponent);
    return `/v1/sessions/${encodeURIComponent(this.state.sandboxdSession)}/files/${parts.join('/')}`;
  }

  async readFile(args: { path: string; runAs?: string; maxBytes?: number }): Promise<Uint8Array> {
    refuseUser(args.runAs);
    try {
      if (args.maxBytes === undefined) return await this.daemon.send('GET', this.url(args.path));
      const request = { sessionId: this.state.sandboxdSession, path: this.resolve(args.path).relative, length: String(args.maxBytes) };
      const parts = await this.daemon.stream('ReadFile', [request]);
      return Buffer.concat(parts.map((part) => Buffer.from(part.data ?? '', 'base64')));
    } catch (error) {
      if ((error as SandboxdError).code !== 'not_found') throw error;
      throw new SandboxWorkspaceReadNotFoundError(`file not found: ${args.path}`);
    }
  }

  async writeFile(path: string, data: Uint8Array | string, mode: 'create' | 'replace' = 'replace'): Promise<void> {
    await this.daemon.send('PUT', `${this.url(path)}?mode=${mode}`, data, 'application/octet-stream');
  }

  async viewImage(args: { path: string; runAs?: string }) {
    const data = await this.readFile({ ...args, maxBytes: MAX_IMAGE + 1 });
    if (data.byteLength > MAX_IMAGE) throw new Error(`Image file exceeds the 10 MB limit: ${args.path}`);
    const types: Record<string, string> = { '.png': 'image/png', '.jpg': 'image/jpeg', '.jpeg': 'image/jpeg', '.gif': 'image/gif', '.webp': 'image/webp' };
    const mediaType = types[posix.extname(args.path).toLowerCase()];
    if (!mediaType) throw new Error(`Unsupported image format for view_image: ${args.path}`);
    return { type: 'image' as const, image: { data: Uint8Array.from(data), mediaType } };
  }

  // All that is in the workspace. A profile bounds how much that is.
  private async entries(): Promise<{ path: string; kind: string }[]> {
    const entries: { path: string; kind: string }[] = [];
    for (let pageToken = ''; ;) {
      const page = await this.daemon.call('ListFiles', { sessionId: this.state.sandboxdSession, pageToken });
      entries.push(...(page.entries ?? []));
      if (!page.nextPageToken) return entries;
      pageToken = page.nextPageToken;
    }
  }

  async listDir(args: { path: string; runAs?: string }): Promise<SandboxDirectoryEntry[]> {
    refuseUser(args.runAs);
    const { relative } = this.resolve(args.path);
    if (!(await this.directoryExists(args.path))) throw new SandboxWorkspaceReadNotFoundError(`no such directory: ${args.path}`);
    return (await this.entries())
      .filter((entry) => posix.dirname(entry.path) === relative)
      .map(({ path, kind }) => ({
        name: posix.basename(path), path, type: kind === 'KIND_FILE' ? 'file' : kind === 'KIND_DIRECTORY' ? 'dir' : 'other',
      }));
  }

  async pathExists(path: string, runAs?: string): Promise<boolean> {
    refuseUser(runAs);
    const { relative } = this.resolve(path);
    return relative === '.' || (await this.entries()).some((entry) => entry.path === relative);
  }

  async directoryExists(path: string, runAs?: string): Promise<boolean> {
    refuseUser(runAs);
    const { relative } = this.resolve(path);
    return relative === '.' || (await this.entries()).some((entry) => entry.path === relative && entry.kind === 'KIND_DIRECTORY');
  }

  createEditor(runAs?: string): Editor {
    refuseUser(runAs);
    const text = async (path: string) => Buffer.from(await this.readFile({ path })).toString();
    const remove = (path: string) =>
      this.daemon.call('DeleteFile', { sessionId: this.state.sandboxdSession, path: this.resolve(path).relative });
    return {
      createFile: async ({ path, diff }) => {
        try {
          await this.writeFile(path, applyDiff('', diff, 'create'), 'create');
        } catch (error) {
          if ((error as SandboxdError).code !== 'already_exists') throw error;
          return { status: 'failed', output: `${path} already exists: update it` };
        }
        return { output: `Created ${path}` };
      },
      updateFile: async ({ path, diff, moveTo }) => {
        await this.writeFile(moveTo ?? path, applyDiff(await text(path), diff));
        if (moveTo && this.resolve(moveTo).relative !== this.resolve(path).relative) await remove(path);
        return { output: `Updated ${path}` };
      },
      deleteFile: async ({ path }) => {
        await remove(path);
        return { output: `Deleted ${path}` };
      },
    };
  }

  // The manifest.

  async materializeEntry(args: { path: string; entry: Entry; runAs?: string }): Promise<void> {
    refuseUser(args.runAs);
    const { path, entry } = args;
    switch (entry.type) {
      case 'file':
        return this.writeFile(path, entry.content);
      case 'local_file':
        return this.writeFile(path, await readFile(entry.src));
      case 'local_dir':
        await this.makeDirectory(path);
        for (const found of await readdir(entry.src, { withFileTypes: true, recursive: true })) {
          const source = join(found.parentPath, found.name);
          const target = posix.join(path, source.slice(entry.src.length).replaceAll('\\', '/'));
          if (found.isFile()) await this.writeFile(target, await readFile(source));
          else if (found.isDirectory()) await this.makeDirectory(target);
        }
        return;
      case 'dir':
        await this.makeDirectory(path);
        for (const [name, child] of Object.entries(entry.children ?? {})) {
          await this.materializeEntry({ path: posix.join(path, name), entry: child });
        }
        return;
      default:
        throw new SandboxUnsupportedFeatureError(`${path}: a sandbox of sandboxd's can have no ${entry.type}; copy the files in`);
    }
  }

  async applyManifest(manifest: Manifest, runAs?: string): Promise<void> {
    refuseUser(runAs);
    for (const [path, entry] of Object.entries(manifest.validatedEntries())) await this.materializeEntry({ path, entry });
  }

  private async makeDirectory(path: string): Promise<void> {
    const result = await this.run(['mkdir', '-p', this.resolve(path).path], Date.now() + 60_000);
    if (result.exitCode) throw new Error(result.stderr);
  }

  // The workspace as a whole.

  // Returns a tar archive, without what the manifest calls ephemeral.
  async persistWorkspace(): Promise<Uint8Array> {
    const ephemeral = [...this.state.manifest.ephemeralPersistencePaths()];
    if (!ephemeral.length) return this.download(this.state.sandboxdSession);
    const fork = `agents-${randomUUID()}`; // from which they can be deleted
    await this.daemon.call('ForkSession', { sessionId: this.state.sandboxdSession, newSessionId: fork });
    try {
      for (const path of ephemeral) {
        await this.daemon.call('DeleteFile', { sessionId: fork, path: this.resolve(path).relative, recursive: true }).catch((error) => {
          if (error.code !== 'not_found') throw error;
        });
      }
      return await this.download(fork);
    } finally {
      await this.daemon.call('DestroySession', { sessionId: fork });
    }
  }

  private async download(sessionId: string): Promise<Uint8Array> {
    const parts = await this.daemon.stream('DownloadWorkspace', [{ sessionId }]);
    return Buffer.concat(parts.map((part) => Buffer.from(part.data ?? '', 'base64')));
  }

  // Unpacks a tar archive. The daemon does: a member that would leave /app is its refusal.
  async hydrateWorkspace(data: string | ArrayBuffer | Uint8Array): Promise<void> {
    const archive = typeof data === 'string' ? Buffer.from(data, 'base64') : Buffer.from(data as Uint8Array);
    const messages: Json[] = [{ target: { sessionId: this.state.sandboxdSession, mode: 'WRITE_MODE_REPLACE' } }];
    for (let at = 0; at < archive.length; at += PIECE) {
      messages.push({ data: archive.subarray(at, at + PIECE).toString('base64') });
    }
    await this.daemon.stream('UploadWorkspace', messages);
  }
}

class TimeUp extends Error {}

function refuseUser(user: string | undefined): void {
  if (user) throw new SandboxUnsupportedFeatureError(`runAs ${user}: a sandbox of sandboxd's has no users; leave runAs out`);
}

// What sandboxd has to say of a program beside its output, for the model to read.
function notesOf(result: Json): string {
  const lines: string[] = [];
  if (result.status && result.status !== 'ok' && result.status !== 'error') lines.push(`${result.status}: ${result.error?.message ?? ''}`);
  if (result.error?.type !== 'exit') lines.push(...(result.error?.guidance ?? [])); // an exit code is meant, as in a shell
  for (const stream of ['stdout', 'stderr']) {
    if (result[`${stream}Truncated`]) lines.push(`${stream} was cut off at the limit: write to a file and look at parts of it`);
  }
  return lines.map((line) => `sandboxd: ${line}\n`).join('');
}

// Makes sessions in a daemon, `sandboxd serve`. It finds the daemon by socket, or by url
// with a token; without either by $SANDBOXD_SOCKET, or where the daemon listens by default.
export class SandboxdSandboxClient implements SandboxClient<SandboxdSandboxClientOptions, SandboxdSandboxSessionState> {
  readonly backendId = 'sandboxd';
  readonly supportsDefaultOptions = true;
  private readonly daemon: Daemon;
  private readonly snapshot?: SnapshotSpec;

  constructor(options: { socket?: string; url?: string; token?: string; snapshot?: SnapshotSpec } = {}) {
    const { snapshot, ...where } = options;
    this.daemon = new Daemon(where);
    this.snapshot = snapshot;
  }

  // Whether the daemon is there and takes requests. It does not before it has prepared its runtimes.
  ready(): Promise<boolean> {
    return this.daemon.ready();
  }

  async create(
    args?: SandboxClientCreateArgs<SandboxdSandboxClientOptions> | Manifest,
    manifestOptions?: SandboxdSandboxClientOptions,
  ): Promise<SandboxdSandboxSession> {
    const { manifest, options, snapshot } = normalizeSandboxClientCreateArgs(args, manifestOptions);
    const session = new SandboxdSandboxSession({
      manifest: fitting(manifest),
      sandboxdSession: `agents-${randomUUID()}`,
      profile: options?.profile,
      snapshotSpec: supported(snapshot ?? this.snapshot),
      workspaceReady: true,
    }, this.daemon);
    await session.begin();
    try {
      await session.applyManifest(session.state.manifest);
    } catch (error) {
      await session.delete();
      throw error;
    }
    return session;
  }

  // Goes on with a session that is still there, else with one made from its snapshot.
  async resume(state: SandboxdSandboxSessionState): Promise<SandboxdSandboxSession> {
    const manifest = fitting(state.manifest);
    const session = new SandboxdSandboxSession({ ...state, manifest }, this.daemon);
    if (await session.running()) return session;
    const spec = supported(state.snapshotSpec ?? this.snapshot);
    if (!state.snapshot || !spec) throw new Error(`session ${state.sandboxdSession} is gone, and there is no snapshot of it`);
    const { data } = await spec.store.load({ id: state.snapshot.id });
    await session.begin();
    await session.hydrateWorkspace(data);
    for (const { logicalPath, entry } of manifest.iterEntries()) {
      if (entry.ephemeral) await session.materializeEntry({ path: logicalPath, entry });
    }
    return session;
  }

  // Saves a snapshot if the session has a store for them, and says what finds it again. The
  // manifest, which may hold secrets, is the SDK's to keep.
  async serializeSessionState(state: SandboxdSandboxSessionState): Promise<Record<string, unknown>> {
    const spec = supported(state.snapshotSpec ?? this.snapshot);
    if (spec) {
      const data = await new SandboxdSandboxSession(state, this.daemon).persistWorkspace();
      const saved = await spec.store.save({ id: spec.id, data, metadata: spec.metadata });
      state.snapshot = { id: saved.id, type: 'remote', ...(saved.metadata ? { metadata: saved.metadata } : {}) };
    }
    return { sandboxdSession: state.sandboxdSession, profile: state.profile, snapshot: state.snapshot };
  }

  async deserializeSessionState(state: Record<string, unknown>): Promise<SandboxdSandboxSessionState> {
    const { manifest, sandboxdSession } = state;
    if (typeof sandboxdSession !== 'string') throw new Error('sandboxdSession is missing: this is no state of a sandboxd session');
    return {
      ...state,
      manifest: manifest instanceof Manifest ? manifest : new Manifest((manifest as object | undefined) ?? { root: ROOT }),
      sandboxdSession,
      snapshotSpec: this.snapshot,
    };
  }
}

// The manifest with its root at /app, or an error for what a sandbox of sandboxd's does not have.
function fitting(manifest: Manifest): Manifest {
  const root = new Manifest().root === manifest.root ? ROOT : manifest.root;
  const problems: string[] = [];
  if (root !== ROOT) problems.push(`root ${root}: files are in ${ROOT}; leave root out`);
  if (manifest.users.length || manifest.groups.length) problems.push('users, groups: there are none; leave them out');
  if (manifest.extraPathGrants.length) problems.push('extraPathGrants: let the profile mount the directory instead');
  for (const { logicalPath, entry } of manifest.iterEntries()) {
    if (isMount(entry)) problems.push(`mounts: ${logicalPath}: let the profile mount a directory, or copy files in`);
  }
  if (problems.length) throw new SandboxUnsupportedFeatureError(`the manifest asks for what sandboxd has not: ${problems.join('; ')}`);
  const { version, entries, environment, remoteMountCommandAllowlist } = manifest;
  return new Manifest({ version, root, entries, environment, remoteMountCommandAllowlist });
}

function supported(spec: SnapshotSpec | undefined): RemoteSnapshotSpec | undefined {
  if (!spec || spec.type === 'noop') return undefined;
  if (spec.type === 'remote' && spec.store) return spec as RemoteSnapshotSpec;
  throw new SandboxUnsupportedFeatureError(`snapshots of type ${spec.type} are not supported: give one of type "remote", with a store`);
}

// The SDK's shell capability, which tells the model what the shell is.
export function sandboxdShell() {
  const capability = shell({
    configureTools: (tools) => tools.map((tool) => ({
      ...tool, description: 'Runs a command line in the sandbox and returns its output when it has ended.',
    })),
  });
  capability.instructions = () => INSTRUCTIONS;
  return capability;
}
