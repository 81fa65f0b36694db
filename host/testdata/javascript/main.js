// A library for tests of the driver: it hands the host on to the program.
(() => {
  'use strict';
  const host = globalThis.__host;
  const show = (v) => (typeof v === 'string' ? v : typeof v === 'object' && v !== null ? JSON.stringify(v) : String(v));
  const line = (fd) => (...args) => { host('write', { fd, text: args.map(show).join(' ') + '\n' }); };
  globalThis.console = { log: line(1), error: line(2) };
  // What the library proper keeps to itself.
  globalThis.host = host;
  const failed = (error) => {
    const stack = (error && error.stack) || '';
    host('write', { fd: 2, text: `Uncaught ${error}\n${stack}` });
    const at = /:(\d+):\d+\)?$/m.exec(stack);
    host('report', {
      type: (error && error.name) || typeof error,
      message: String(error && error.message),
      line: error && error.lineNumber || (at ? Number(at[1]) : 0),
    });
    return 1;
  };
  const timers = [];
  globalThis.setTimeout = (call, ms = 0, ...args) => { timers.push({ call, at: host('now').ms + ms, args }); };
  globalThis.process = { exit: (code) => host('exit', { code }) };
  globalThis.require = () => ({ readFileSync: () => host('read_stdin', { length: 1 << 20 }) });
  globalThis.__hooks = {
    run() {
      const request = host('request');
      process.argv = request.argv;
      process.env = request.env;
      const module = request.kind === 'module' || request.kind === 'auto' && /^\s*(import|export)\b/m.test(request.code);
      try {
        const { value } = host('eval', { code: request.code, filename: request.filename || '[eval]', kind: module ? 'module' : 'script' });
        for (;;) {
          host('jobs');
          const { list } = host('rejections');
          if (list.length > 0 && !list[2]) return failed(list[1]);
          if (timers.length === 0) break;
          timers.sort((a, b) => a.at - b.at);
          const t = timers.shift();
          host('sleep', { ms: t.at - host('now').ms });
          t.call(...t.args);
        }
        if (module) {
          const p = host('promise', { value });
          if (p.state === 'rejected') return failed(p.value);
          if (p.state === 'pending') return 13;
        }
      } catch (error) {
        return failed(error);
      }
      return 0;
    },
    resolve(specifier, referrer) {
      return specifier.startsWith('./') ? '/app/' + specifier.slice(2) : specifier;
    },
    keeping: () => false,
    load(name) {
      const { fd } = host('open', { path: name, flags: 'r' });
      return host('text', {}, host('read', { fd, length: 1 << 20 }).bytes).text;
    },
  };
})();
