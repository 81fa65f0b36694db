// Reads, changes and lists what lies outside of its mounts, and changes what is
// read-only, by every function that takes a path and every link left behind.
//
// status: ok
// exit: 0
// stdout: "[]\n"
// created: /app/mine
const fs = require('fs');
fs.writeFileSync('mine', 'mine');
const outside = [
  '../outside/canary.txt', '/outside/canary.txt', '/app/../outside/canary.txt', '/app/../../outside/canary.txt',
  '//outside//canary.txt', '/data/sub/../../outside/canary.txt', '/etc/passwd', '/proc/self/mem', '/proc/self/environ',
  '/proc/1/environ', '/dev/zero', '/dev/mem', '/root', '/tmp', '/sys/kernel',
  new URL('file:///etc/passwd'), new URL('file:///app/%2e%2e/outside/canary.txt'), Buffer.from('../outside/canary.txt'),
];
for (const top of ['/app/', '/data/', '/out/']) {
  for (const link of ['link_relative', 'link_absolute', 'link_directory/canary.txt', 'link_directory/new', 'link_root/etc/passwd',
    'link_proc/environ', 'link_proc/mem', 'link_proc/fd/0', 'link_loop', 'fifo', 'zero']) outside.push(top + link);
}
const sealed = ['/data/table.csv', '/data/sub/inner.txt', '/data/new', '/data/sub', '/data', '/', '/new'];
const reads = {
  read: (p) => fs.readFileSync(p), list: (p) => fs.readdirSync(p), open: (p) => fs.openSync(p, 'r'), resolve: (p) => fs.realpathSync(p),
  stat: (p) => fs.statSync(p), dir: (p) => fs.opendirSync(p), access: (p) => fs.accessSync(p), copy: (p) => fs.copyFileSync(p, 'copy'),
  cp: (p) => fs.cpSync(p, 'copy', { recursive: true }), follow: (p) => fs.readlinkSync(p),
  symlink: (p) => fs.readFileSync((fs.symlinkSync(p, 'link'), 'link')), link: (p) => fs.readFileSync((fs.linkSync(p, 'link'), 'link')),
};
const changes = {
  write: (p) => fs.writeFileSync(p, 'x'), append: (p) => fs.appendFileSync(p, 'x'), flags: (p) => fs.openSync(p, 'r+'),
  numbers: (p) => fs.openSync(p, fs.constants.O_RDONLY | fs.constants.O_TRUNC), truncate: (p) => fs.truncateSync(p, 0),
  times: (p) => fs.utimesSync(p, 0, 0), over: (p) => fs.copyFileSync('mine', p),
  tree: (p) => fs.cpSync('mine', p, { force: true }), remove: (p) => fs.rmSync(p, { recursive: true }),
  rmdir: (p) => fs.rmdirSync(p), mkdir: (p) => fs.mkdirSync(`${p}/new`), temporary: (p) => fs.mkdtempSync(`${p}/new`),
  from: (p) => fs.renameSync(p, '/out/moved'), to: (p) => fs.renameSync('mine', p),
};
const found = [];
function attempt(calls, paths) {
  for (const [name, call] of Object.entries(calls)) {
    for (const path of paths) {
      try { call(path); } catch { continue; }
      found.push([name, String(path)]);
    }
  }
}
attempt(reads, outside);
// What removes or moves a link of its own changes nothing but that.
attempt(changes, outside.filter((p) => !/^\/(app|out)\/\w+$/.test(p)));
attempt(changes, sealed);
fs.writeFileSync('mine', 'mine');
console.log(found);
