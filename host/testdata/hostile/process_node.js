// Starts processes and threads, and connects to the world, by all modules of Node's
// that do: there are none, or they refuse.
//
// status: ok
// exit: 0
// stdout: "[]\n"
const url = 'http://127.0.0.1:80/';
const attempts = {
  exec: () => require('child_process').execSync('id'),
  spawn: () => require('child_process').spawnSync('/bin/sh', ['-c', 'id']).stdout.length,
  worker: () => new (require('worker_threads').Worker)('1', { eval: true }),
  fork: () => require('cluster').fork(),
  connect: () => require('net').connect(80, '127.0.0.1'),
  listen: () => require('net').createServer().listen(0),
  secure: () => require('tls').connect(443, '127.0.0.1'),
  datagram: () => require('dgram').createSocket('udp4').send('x', 53, '127.0.0.1'),
  get: () => require('http').get(url),
  lookup: () => require('dns').promises.lookup('localhost'),
  debugger: () => require('inspector').open(),
  vm: () => require('vm').runInNewContext('this.constructor.constructor("return process")().binding("fs")'),
  module: () => new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])),
  binding: () => process.binding('fs'),
  native: () => process.dlopen({}, '/lib/libc.so.6'),
  user: () => process.setuid(0),
  fetch: () => fetch(url),
  file: () => fetch('file:///etc/passwd'),
  socket: () => new WebSocket('ws://127.0.0.1/'),
  events: () => new EventSource(url),
};
process.on('uncaughtException', () => {});
(async () => {
  const done = [];
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      const v = await attempt();
      if (typeof v?.on === 'function') await new Promise((ok, no) => v.on('error', no).on('connect', ok).on('response', ok).on('listening', ok));
    } catch { continue; }
    done.push(name);
  }
  console.log(done);
  process.exit(0);
})();
