// An ES module: imports, top-level await, dynamic import, import.meta.
import fs, { writeFileSync } from 'node:fs';
import * as path from 'path';
import { readFile } from 'fs/promises';
import { EventEmitter } from 'events';
import { promisify } from 'util';
writeFileSync('helper.mjs', 'export const x = 1; export default function hi(n) { return `hi ${n}`; } export let count = 0; export const inc = () => ++count; export class Box {}');
fs.writeFileSync('legacy.cjs', 'exports.named = 5; exports.fn = () => "cjs";');
const { default: hi, x, inc, Box } = await import('./helper.mjs');
console.log(hi('you'), x, inc(), inc(), Box);
const ns = await import('./helper.mjs'); console.log(ns.count, Object.keys(ns), typeof ns);
const legacy = await import('./legacy.cjs'); console.log(legacy.named, legacy.default.fn());
console.log(typeof import.meta.url, import.meta.url.startsWith('file:///'), path.basename(new URL(import.meta.url).pathname));
console.log(typeof require, typeof module, this, typeof __filename);
console.log((await readFile('helper.mjs', 'utf8')).length, new EventEmitter() instanceof EventEmitter, typeof promisify);
import { createRequire } from 'module'; const require2 = createRequire(import.meta.url); console.log(require2('./legacy.cjs').named, require2('path') === path.default);
for (const f of ['helper.mjs', 'legacy.cjs']) fs.rmSync(f);
export const answer = 42; export { answer as default };
const results = await Promise.all([1, 2].map(async (n) => n * 2)); console.log(results);
