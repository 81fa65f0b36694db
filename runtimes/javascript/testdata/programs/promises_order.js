// How many turns promises take.
const log = []; const p = (n) => (v) => { log.push(n); return v; };
Promise.resolve().then(p('a1')).then(p('a2')).then(p('a3')).then(p('a4'));
Promise.resolve().then(() => Promise.resolve()).then(p('b1'));
new Promise((r) => r({ then(f) { log.push('thenable'); f(); } })).then(p('c1'));
(async () => { await (async () => {})(); log.push('d1'); await { then: (f) => f() }; log.push('d2'); })();
(async () => { try { await Promise.reject(new Error('x')); } catch { log.push('e1'); } finally { log.push('e2'); } })();
Promise.reject(1).catch(p('f1')).finally(() => log.push('f2'));
queueMicrotask(() => log.push('g1'));
async function ret() { return Promise.resolve('r'); } ret().then(() => log.push('h1'));
setTimeout(() => console.log(log.join(' ')), 1);
