__define('internal/process', (module, exports, require) => {
'use strict';
const p = require('internal/primordials');
const { host } = p;
const EventEmitter = require('events');
const { coded, badType } = require('internal/errors');
const loop = require('internal/loop');
const streams = require('internal/stdio');

class process extends EventEmitter {}
const self = new process();
// origin is when the call began.
const origin = {
  text: '0',
  get ns() {
    return p.toBigInt(this.text);
  },
};
let working = '/app';
let umask = 0o22;

function hrtime(since) {
  const ns = p.toBigInt(host('now').ns);
  let seconds = p.toNumber(ns / 1000000000n);
  let rest = p.toNumber(ns % 1000000000n);
  if (since !== undefined) {
    seconds -= since[0];
    rest -= since[1];
    if (rest < 0) {
      seconds--;
      rest += 1e9;
    }
  }
  return [seconds, rest];
}
hrtime.bigint = () => p.toBigInt(host('now').ns);

let exiting = false;

function codeOf(code) {
  if (code === undefined || code === null) return 0;
  return p.trunc(p.toNumber(code)) & 255;
}

// leave runs the listeners of 'exit', once, and returns the code to leave with.
function leave(code) {
  if (code !== undefined) self.exitCode = code;
  if (!exiting) {
    exiting = true;
    p.define(self, '_exiting', { value: true, writable: true, configurable: true });
    if (self._events?.exit !== undefined) self.emit('exit', codeOf(self.exitCode));
  }
  return codeOf(self.exitCode);
}

function memory() {
  let found;
  try {
    found = host('memory');
  } catch {
    found = {};
  }
  const { rss = 32 << 20, heapTotal = 8 << 20, heapUsed = 4 << 20 } = found;
  return { rss, heapTotal, heapUsed, external: 0, arrayBuffers: 0 };
}
memory.rss = () => memory().rss;

function emitWarning(warning, type, code) {
  let name = 'Warning';
  let detail;
  if (type !== null && typeof type === 'object') ({ type, code, detail } = type);
  if (typeof type === 'string') name = type;
  if (typeof warning === 'string') {
    const made = new Error(warning);
    made.name = name;
    warning = made;
  }
  if (code !== undefined && typeof code === 'string') warning.code = code;
  if (detail !== undefined) warning.detail = detail;
  if (warning.name === 'DeprecationWarning' && self.noDeprecation) return;
  loop.nextTick(() => {
    if (self.emit('warning', warning)) return;
    const shown = warning.code ? `[${warning.code}] ` : '';
    host('write', { fd: 2, text: `(node:${self.pid}) ${shown}${warning.name}: ${warning.message}\n${warning.detail ? `${warning.detail}\n` : ''}` });
  });
}

const unsupported = (name, reason) => () => {
  throw coded(Error, 'ERR_SANDBOX_UNAVAILABLE', `process.${name} is not available: ${reason}`);
};

Object.assign(self, {
  title: 'node',
  version: 'v22.0.0',
  versions: { node: '22.0.0', quickjs: '0.11.0', unicode: '16.0' },
  arch: 'wasm32',
  platform: 'linux',
  release: { name: 'node' },
  argv: [],
  execArgv: [],
  env: {},
  pid: 1,
  ppid: 0,
  execPath: '/usr/local/bin/node',
  debugPort: 0,
  exitCode: undefined,
  config: { target_defaults: {}, variables: {} },
  features: { inspector: false, ipv6: false, tls: false },
  cwd: () => working,
  chdir(directory) {
    if (typeof directory !== 'string') throw badType('directory', 'string', directory);
    const path = require('path').resolve(directory);
    const { system } = require('internal/errors');
    let found;
    try {
      found = host('stat', { path });
    } catch (e) {
      throw system(e.code, 'chdir', working, directory);
    }
    if (found.kind !== 'directory') throw system('ENOTDIR', 'chdir', working, directory);
    working = path;
  },
  exit(code) {
    host('exit', { code: leave(code) });
  },
  reallyExit(code) {
    host('exit', { code: codeOf(code) });
  },
  abort() {
    host('exit', { code: 134 });
  },
  nextTick: loop.nextTick,
  hrtime,
  uptime: () => p.toNumber(hrtime.bigint() - origin.ns) / 1e9,
  memoryUsage: memory,
  constrainedMemory: () => 0,
  availableMemory: () => memory().rss,
  cpuUsage(since) {
    const user = p.toNumber((hrtime.bigint() - origin.ns) / 1000n);
    return { user: user - (since?.user ?? 0), system: 0 };
  },
  resourceUsage: () => ({ userCPUTime: p.toNumber((hrtime.bigint() - origin.ns) / 1000n), systemCPUTime: 0, maxRSS: memory().rss >> 10 }),
  umask(mask) {
    const old = umask;
    if (mask !== undefined) umask = typeof mask === 'string' ? p.parseInteger(mask, 8) : mask;
    return old;
  },
  getuid: () => 1000,
  geteuid: () => 1000,
  getgid: () => 1000,
  getegid: () => 1000,
  getgroups: () => [1000],
  emitWarning,
  kill(pid, signal = 'SIGTERM') {
    if (pid !== self.pid) throw require('internal/errors').system('ESRCH', 'kill');
    if (signal === 0) return true;
    if (self.emit(signal, signal)) return true;
    return host('exit', { code: signal === 'SIGKILL' ? 137 : signal === 'SIGINT' ? 130 : 143 });
  },
  getActiveResourcesInfo: () => [],
  getBuiltinModule(name) {
    const { isBuiltin, builtin } = require('internal/modules');
    return isBuiltin(name) ? builtin(name) : undefined;
  },
  loadEnvFile(path = '.env') {
    const values = require('util').parseEnv(require('fs').readFileSync(path, 'utf8'));
    for (const name of p.keys(values)) self.env[name] ??= values[name];
  },
  setUncaughtExceptionCaptureCallback(callback) {
    self.captureCallback = callback;
  },
  hasUncaughtExceptionCaptureCallback: () => self.captureCallback != null,
  binding: unsupported('binding', 'there are no native modules in a sandbox'),
  dlopen: unsupported('dlopen', 'there are no native modules in a sandbox'),
});
p.define(self, 'captureCallback', { value: null, writable: true, enumerable: false });
p.define(self, Symbol.toStringTag, { value: 'process', configurable: true });
for (const name of ['stdin', 'stdout', 'stderr']) {
  p.define(self, name, { configurable: true, enumerable: true, get: () => streams[name]() });
}

// environment makes process.env of an object: what is set becomes text.
function environment(target) {
  return new p.Proxy(target, {
    __proto__: null,
    set(object, name, value) {
      object[name] = typeof name === 'symbol' ? value : `${value}`;
      return true;
    },
    defineProperty(object, name, own) {
      if ('value' in own) own.value = `${own.value}`;
      return Reflect.defineProperty(object, name, own);
    },
  });
}

const variables = {};
self.env = environment(variables);
self.argv0 = 'node';

// begin sets up process for a call.
function begin({ filename, argv, env, ns, keep, stateful }) {
  if (stateful) {
    exiting = keep; // the end of a call is not that of the interpreter
    self.exitCode = undefined;
    streams.reset();
    const earlier = p.keys(variables);
    for (let i = 0; i < earlier.length; i++) delete variables[earlier[i]];
  }
  origin.text = ns;
  self.argv = filename === '' ? [self.execPath, ...argv] : [self.execPath, filename, ...argv];
  p.assign(variables, env);
}

module.exports = { process: self, begin, leave, origin };
});

__define('process', (module, exports, require) => {
module.exports = require('internal/process').process;
});
