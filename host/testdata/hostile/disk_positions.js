// Makes files of all the disk without writing them, and copes.
//
// status: ok
// exit: 0
// disk: 1MiB
// stdout: "[]\n"
const fs = require('fs');
const fd = fs.openSync('f', 'w+');
const attempts = {
  truncate: (n) => fs.truncateSync('f', n),
  ftruncate: (n) => fs.ftruncateSync(fd, n),
  write: (n) => fs.writeSync(fd, Buffer.from('x'), 0, 1, n),
  text: (n) => fs.writeSync(fd, 'x', n),
  big: (n) => fs.writeSync(fd, Buffer.from('x'), 0, 1, BigInt(n)),
  start: (n) => fs.writeFileSync(fd, Buffer.alloc(n)),
};
for (const [name, attempt] of Object.entries(attempts)) {
  for (const n of [2 ** 21, 2 ** 31, 2 ** 32 + 1, 2 ** 52, 2 ** 53 - 1]) {
    try { attempt(n); } catch {}
  }
}
const { size } = fs.statSync('f');
console.log(size > 2 ** 20 ? [size] : []);
