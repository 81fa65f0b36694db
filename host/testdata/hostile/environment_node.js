// Looks for traces of the host in what Node.js tells of it.
//
// status: ok
// exit: 0
// stdout: "{\"LANG\":\"C.UTF-8\"} 2 hostile.js\n[]\n"
const os = require('os');
console.log(JSON.stringify(process.env), process.argv.length, process.argv[1].split('/').at(-1));
const found = [];
const tell = (name, value) => { if (/\/(root|home|work)\b|sandboxd\/|\.cache|host-secret/.test(JSON.stringify(value) ?? '')) found.push([name, value]); };
for (const name of Object.keys(process)) {
  try { tell(name, process[name]); } catch {}
}
for (const name of Object.keys(os)) {
  try { tell(name, typeof os[name] === 'function' ? os[name]() : os[name]); } catch {}
}
if (Object.values(os.networkInterfaces?.() ?? {}).flat().some((i) => !i.internal)) found.push('interfaces');
try { null.x; } catch (e) { tell('stack', e.stack); }
try { require('fs').readFileSync('/none'); } catch (e) { tell('error', [e.stack, e.message, e.path]); }
console.log(found);
