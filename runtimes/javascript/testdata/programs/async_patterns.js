// Promise combinators, async iteration, retry, concurrency, timeouts.
const sleep = (ms, v) => new Promise((r) => setTimeout(() => r(v), ms));
async function retry(fn, n) { for (let i = 1; ; i++) { try { return await fn(i); } catch (e) { console.log(`attempt ${i}: ${e.message}`); if (i >= n) throw e; } } }
async function pool(tasks, limit) { const out = []; let next = 0; await Promise.all(Array.from({ length: limit }, async () => { while (next < tasks.length) { const i = next++; out[i] = await tasks[i](); } })); return out; }
async function* ticker(n) { for (let i = 0; i < n; i++) { await sleep(1); yield i; } }
const timeout = (p, ms) => Promise.race([p, new Promise((_, rej) => setTimeout(() => rej(new Error('timed out')), ms))]);
async function main() {
  console.log(await Promise.all([sleep(15, 'a'), sleep(5, 'b'), 'c']));
  console.log(await Promise.race([sleep(300, 'slow'), sleep(5, 'fast')]));
  console.log(await Promise.allSettled([sleep(1, 1), Promise.reject(new Error('x'))]).then((rs) => rs.map((r) => r.status)));
  console.log(await Promise.any([Promise.reject(1), sleep(2, 'any')]));
  console.log(await retry(async (i) => { if (i < 3) throw new Error('flaky'); return `ok after ${i}`; }, 5));
  console.log(await pool([1, 2, 3, 4, 5].map((n) => async () => { await sleep(n); return n * n; }), 2));
  for await (const t of ticker(3)) console.log('tick', t);
  await timeout(sleep(300), 5).catch((e) => console.log(e.message));
  const { promise, resolve } = (() => { let resolve; const promise = new Promise((r) => { resolve = r; }); return { promise, resolve }; })();
  setTimeout(resolve, 2, 'deferred'); console.log(await promise);
  let n = 0; await new Promise((done) => { const id = setInterval(() => { console.log('interval', ++n); if (n === 3) { clearInterval(id); done(); } }, 2); });
  return 'done';
}
main().then(console.log).finally(() => console.log('finally'));
