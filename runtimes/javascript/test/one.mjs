// Runs one program and prints what it prints: node one.mjs FILE [ARGUMENT...].
// QUICKJS_WASI is the folder of the unpacked npm package quickjs-wasi.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { load } from './engine.mjs';

const run = await load(process.env.QUICKJS_WASI ?? 'quickjs-wasi');
const [file, ...argv] = process.argv.slice(2);
const app = fs.mkdtempSync(path.join(os.tmpdir(), 'program-'));
const result = await run({
  code: fs.readFileSync(file, 'utf8'), filename: `/app/${path.basename(file)}`, argv, app,
  stdin: process.env.STDIN ?? '',
});
fs.rmSync(app, { recursive: true });
process.stdout.write(result.stdout);
process.stderr.write(result.stderr);
if (result.reported) console.error(result.reported);
process.exitCode = result.code;
