// A stand-in for sandboxd's driver, for development: the library on the real
// engine (the npm package quickjs-wasi), with the host operations of the
// contract done by Node. It bounds nothing and must not run code of strangers.

import { createHash, createHmac, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const library = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..', 'lib');

// load returns what runs programs, from the unpacked npm package in folder.
export async function load(folder) {
  const { QuickJS, EvalFlags } = await import(pathToFileURL(path.join(folder, 'dist', 'index.js')));
  const wasm = await WebAssembly.compile(fs.readFileSync(path.join(folder, 'quickjs.wasm')));
  const sources = fs.readFileSync(path.join(library, 'order.txt'), 'utf8').split('\n').filter(Boolean)
    .map((name) => ({ name: 'node:' + name.replace(/\.js$/, ''), code: fs.readFileSync(path.join(library, name), 'utf8') }));
  return (program) => run(QuickJS, EvalFlags, wasm, sources, program);
}

// run executes one program: {code, filename, kind, argv, env, stdin, app}. app
// is the folder that the program sees as /app. It returns {code, stdout, stderr,
// reported}.
async function run(QuickJS, EvalFlags, wasm, sources, program) {
  const out = { code: 0, stdout: [], stderr: [], reported: null };
  let exit = null;
  let vm;
  const hooks = {};
  const call = (name, ...args) => vm.callFunction(hooks[name], vm.undefined, ...args.map((a) => vm.newString(a))).toString();
  vm = await QuickJS.create({
    wasm,
    timezoneOffset: 0,
    interruptHandler: () => exit !== null,
    moduleLoader: { normalize: (base, name) => call('resolve', name, base), load: (name) => call('load', name) },
    onUnhandledRejection: (promise, reason, handled) => rejections.push(promise.dup(), reason.dup(), handled ? vm.true : vm.false),
  });
  const rejections = [];
  const files = openFiles(program.app);
  let stdin = Buffer.from(program.stdin ?? '');
  const ops = {
    request: () => ({
      filename: program.filename ?? '/app/main.js', argv: program.argv ?? [], env: program.env ?? {},
      kind: program.kind ?? 'auto', code: program.code,
    }),
    write: ({ fd, text }, bytes) => {
      out[fd === 1 ? 'stdout' : 'stderr'].push(text === undefined ? Buffer.from(bytes) : Buffer.from(text, 'utf8'));
      return {};
    },
    read_stdin: ({ length }) => {
      const bytes = stdin.subarray(0, length);
      stdin = stdin.subarray(length);
      return { bytes };
    },
    utf8: ({ text }) => ({ bytes: Buffer.from(text, 'utf8') }),
    text: (_, bytes) => {
      try {
        return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
      } catch {
        return {};
      }
    },
    now: () => ({ ms: performance.timeOrigin + performance.now(), ns: String(process.hrtime.bigint()) }),
    random: ({ length }) => ({ bytes: randomBytes(length) }),
    sleep: ({ ms }) => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
      return {};
    },
    hash: ({ algorithm, key }, bytes) => {
      const h = key ? createHmac(algorithm, Buffer.from(key)) : createHash(algorithm);
      return { bytes: h.update(Buffer.from(bytes ?? [])).digest() };
    },
    exit: ({ code }) => {
      exit = code;
      return {};
    },
    report: (what) => {
      out.reported = what;
      return {};
    },
    jobs: () => {
      vm.executePendingJobs();
      return {};
    },
    ...files,
  };
  // raw works on guest values, for the operations that must not copy them.
  const raw = {
    rejections: () => {
      const list = vm.newArray();
      rejections.splice(0).forEach((value, i) => list.setProp(String(i), value));
      const result = vm.newObject();
      result.setProp('list', list);
      return result;
    },
    promise: (args) => {
      const result = vm.newObject();
      const value = args.getProp('value');
      const state = vm.exports.qjs_promise_state(value.ptr);
      const names = ['pending', 'fulfilled', 'rejected'];
      if (names[state] === undefined || !vm.exports.qjs_is_promise(value.ptr)) return result;
      result.setProp('state', vm.newString(names[state]));
      if (state > 0) result.setProp('value', vm.newHandle ? vm.newHandle(vm.exports.qjs_promise_result(value.ptr)) : wrap(vm.exports.qjs_promise_result(value.ptr)));
      return result;
    },
    eval: (args) => {
      const kind = args.getProp('kind').toString();
      const value = vm.evalCode(args.getProp('code').toString(), args.getProp('filename').toString(),
        kind === 'module' ? EvalFlags.TYPE_MODULE : EvalFlags.TYPE_GLOBAL);
      const result = vm.newObject();
      result.setProp('value', value);
      return result;
    },
  };
  const Handle = vm.undefined.constructor;
  const wrap = (ptr) => new Handle(vm, ptr);
  vm.setProp(vm.global, '__raw', vm.newFunction('__raw', (op, args, json, text, bytes) => {
    const name = op.toString();
    if (raw[name]) return raw[name](args);
    let result;
    try {
      if (!ops[name]) throw Object.assign(new Error(`no such operation ${name}`), { code: 'ENOSYS' });
      const parsed = json.isUndefined ? {} : JSON.parse(json.toString());
      if (!text.isUndefined) parsed.text = text.toString();
      result = ops[name](parsed, bytes.isUndefined ? undefined : bytes.toUint8Array());
      if (result.bytes) {
        result.bytes = result.bytes.buffer.slice(result.bytes.byteOffset, result.bytes.byteOffset + result.bytes.byteLength);
      }
    } catch (e) {
      result = { failed: { code: e.code ?? 'EIO', message: e.message, syscall: e.syscall ?? name } };
    }
    return vm.hostToHandle(result);
  }));
  vm.exports.qjs_set_max_stack_size(200000);
  vm.evalCode(`globalThis.__host = ((raw, stringify) => (op, args, bytes) => {
    const { text, value, ...rest } = args ?? {};
    if (ArrayBuffer.isView(bytes)) bytes = new Uint8Array(bytes);
    else if (bytes !== undefined) bytes = new Uint8Array(bytes);
    const result = raw(op, args, stringify(rest), text, bytes);
    if (op === 'exit') for (;;);
    if (result.failed) throw Object.assign(new Error(result.failed.message), result.failed);
    return result;
  })(__raw, JSON.stringify); delete globalThis.__raw;`, '<driver>');
  try {
    for (const { name, code } of sources) vm.evalCode(code, name);
    const found = vm.global.getProp('__hooks');
    for (const name of ['run', 'resolve', 'load']) hooks[name] = found.getProp(name);
    vm.evalCode('delete globalThis.__hooks');
    out.code = vm.callFunction(hooks.run, vm.undefined).toNumber();
  } catch (e) {
    if (exit === null) throw new Error(`the library failed: ${e.name}: ${e.message}\n${e.stack}`);
    out.code = exit;
  }
  out.stdout = Buffer.concat(out.stdout).toString();
  out.stderr = Buffer.concat(out.stderr).toString();
  return out;
}

// openFiles returns the file operations, in the folder app.
function openFiles(app) {
  const at = (name) => {
    const full = path.posix.resolve('/app', name);
    if (full !== '/app' && !full.startsWith('/app/')) {
      throw Object.assign(new Error(`ENOENT: no such file or directory`), { code: 'ENOENT' });
    }
    return path.join(app, full.slice(4));
  };
  const kind = (s) => (s.isDirectory() ? 'directory' : s.isSymbolicLink() ? 'link' : 'file');
  const info = (s) => ({
    kind: kind(s), size: s.size, mtimeMs: s.mtimeMs, atimeMs: s.atimeMs, ctimeMs: s.ctimeMs, mode: s.mode, ino: Number(s.ino),
  });
  const none = (f) => (...args) => f(...args) ?? {};
  return {
    open: ({ path: p, flags }) => ({ fd: fs.openSync(at(p), flags) }),
    close: none(({ fd }) => fs.closeSync(fd)),
    read: ({ fd, length, position }) => {
      const bytes = Buffer.alloc(length);
      return { bytes: bytes.subarray(0, fs.readSync(fd, bytes, 0, length, position ?? null)) };
    },
    pwrite: ({ fd, position }, bytes) => ({ written: fs.writeSync(fd, Buffer.from(bytes), 0, bytes.length, position ?? null) }),
    stat: ({ path: p }) => info(fs.statSync(at(p))),
    lstat: ({ path: p }) => info(fs.lstatSync(at(p))),
    fstat: ({ fd }) => info(fs.fstatSync(fd)),
    readdir: ({ path: p }) => ({ entries: fs.readdirSync(at(p), { withFileTypes: true }).map((e) => ({ name: e.name, kind: kind(e) })) }),
    mkdir: none(({ path: p }) => void fs.mkdirSync(at(p))),
    rmdir: none(({ path: p }) => fs.rmdirSync(at(p))),
    unlink: none(({ path: p }) => fs.unlinkSync(at(p))),
    rename: none(({ from, to }) => fs.renameSync(at(from), at(to))),
    truncate: none(({ path: p, fd, size }) => (fd === undefined ? fs.truncateSync(at(p), size) : fs.ftruncateSync(fd, size))),
    utimes: none(({ path: p, atimeMs, mtimeMs }) => fs.utimesSync(at(p), atimeMs / 1000, mtimeMs / 1000)),
  };
}
