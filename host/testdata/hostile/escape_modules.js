// Loads programs from outside of its mounts.
//
// status: ok
// exit: 0
// stdout: "[]\n"
const fs = require('fs');
fs.writeFileSync('outer.mjs', 'export default (name) => import(name);');
const names = [
  '/etc/passwd', '../outside/canary.txt', '/outside/canary.txt', './../outside/canary.txt', 'file:///etc/passwd',
  'file:///app/..%2Foutside/canary.txt', 'file://localhost/etc/passwd', 'http://127.0.0.1/x.mjs', 'https://127.0.0.1/x.mjs',
  'data:text/javascript,import("/etc/passwd")//.json', 'node:internal/host', 'node:internal/main', 'internal/files', 'node:internal/files',
  'internal/../../../etc/passwd', 'passwd', '', '\0', '__proto__', 'constructor', './', '..', '/', 'x/'.repeat(5000), 'outside/canary.txt',
];
for (const top of ['/app/', '/data/', '/out/']) {
  for (const link of ['link_relative', 'link_absolute', 'link_directory/canary.txt', 'link_directory', 'link_root/etc/passwd',
    'link_proc/environ', 'link_loop', 'fifo', 'zero']) names.push(top + link);
}
const found = [];
(async () => {
  const { default: outer } = await import('./outer.mjs');
  const calls = { require, resolve: require.resolve, import: (n) => import(n), outer, made: require('module').createRequire('/outside/x.js') };
  for (const [way, call] of Object.entries(calls)) {
    for (const name of names) {
      if (name.startsWith('data:')) continue;
      try { await call(name); } catch { continue; }
      found.push([way, name]);
    }
  }
  console.log(found);
})();
