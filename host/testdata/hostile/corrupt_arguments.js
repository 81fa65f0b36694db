// Calls the library with what makes no sense, and with what changes while it looks.
//
// status: ok
// exit: 0
// stdout: "survived\n"
const fs = require('fs');
const fd = fs.openSync('f', 'w+');
const detached = new Uint8Array(8);
detached.buffer.transfer();
const shrinking = new Uint8Array(new ArrayBuffer(64, { maxByteLength: 64 }));
const shrink = { valueOf() { shrinking.buffer.resize(1); return 8; } };
const closer = { get encoding() { try { fs.closeSync(fd + 1); } catch {} return 'utf8'; }, get flag() { fs.openSync('g', 'w'); return 'w+'; } };
const again = { get length() { fs.writeSync(fd, 'x'); fs.readSync(fd, Buffer.alloc(1), 0, 1, 0); return 4; }, get offset() { return shrink; } };
const odd = [
  undefined, null, -1, -(2 ** 31), 2 ** 31, 2 ** 32 - 1, 2 ** 53, NaN, Infinity, -0, 0.5, 1n, -(1n << 70n), '', '\0', '-1', 'constructor',
  '\ud800', 'x'.repeat(5000), [], {}, Symbol(), Symbol.iterator, () => 0, detached, shrinking, new DataView(new ArrayBuffer(4)),
  new Proxy({}, { get() { throw new Error('trap'); } }), shrink, closer, again, fs, process.stdout, new Date(NaN), Object.create(null),
];
const quiet = (call) => {
  try {
    const v = call();
    if (v instanceof Promise) v.catch(() => {});
  } catch {}
};
const calls = Object.keys(fs).filter((n) => n.endsWith('Sync')).map((n) => fs[n]);
for (const f of calls) {
  for (let i = 0; i < odd.length; i++) {
    const a = odd[i], b = odd[(i * 7 + 3) % odd.length], c = odd[(i * 11 + 5) % odd.length];
    quiet(() => f(a, b, c, a));
    quiet(() => f(fd, a, b, c, a));
    quiet(() => f(fd, shrinking, a, b, c));
  }
}
for (const name of Object.keys(fs.promises)) for (const a of odd) quiet(() => fs.promises[name](a, a, a));
process.on('unhandledRejection', () => {});
process.stdout.write('survived\n');
process.exit(0);
