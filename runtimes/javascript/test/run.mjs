// Compares what the programs in ../testdata/programs print on the library with
// what they print on Node:
//
//	QUICKJS_WASI=folder node run.mjs [name...]     on the real engine
//	node run.mjs --update [name...]                writes the .want files with Node
//
// QUICKJS_WASI is the folder of the unpacked npm package quickjs-wasi (npm pack
// quickjs-wasi@3.6.2; tar xzf).
//
// A program says in comments at its top what it needs: "// args: a b",
// "// env: A=1 B=2", "// stdin: "a\nb"" as a JSON string, "// exits: 1". One that
// says "// only: sandboxd" needs the real driver and is left out here.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { load } from './engine.mjs';

const programs = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..', 'testdata', 'programs');
const names = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
const update = process.argv.includes('--update');
const files = fs.readdirSync(programs).filter((f) => /\.[cm]?js$/.test(f) && (names.length === 0 || names.includes(f.replace(/\.[cm]?js$/, ''))));
const run = update ? undefined : await load(process.env.QUICKJS_WASI ?? 'quickjs-wasi');

function needs(code) {
  const line = (key) => new RegExp(`^// ${key}: (.*)$`, 'm').exec(code)?.[1];
  return {
    argv: line('args')?.split(' ') ?? [],
    env: Object.fromEntries((line('env')?.split(' ') ?? []).map((pair) => pair.split('='))),
    stdin: JSON.parse(line('stdin') ?? '""'),
    exits: Number(line('exits') ?? 0),
  };
}

let failed = 0;
for (const file of files) {
  const code = fs.readFileSync(path.join(programs, file), 'utf8');
  const want = path.join(programs, file.replace(/\.[cm]?js$/, '.want'));
  const { argv, env, stdin, exits } = needs(code);
  if (!update && /^\/\/ only: sandboxd$/m.test(code)) continue;
  const app = fs.mkdtempSync(path.join(os.tmpdir(), 'program-'));
  let got;
  try {
    if (update) {
      fs.writeFileSync(path.join(app, file), code);
      const r = spawnSync(process.execPath, [file, ...argv], { cwd: app, input: stdin, env: { TZ: 'UTC', ...env }, encoding: 'utf8' });
      if (r.status !== exits) throw new Error(`${file}: exit code ${r.status}\n${r.stderr}`);
      fs.writeFileSync(want, r.stdout);
      continue;
    }
    got = await run({ code, filename: `/app/${file}`, argv, env, stdin, app });
  } catch (e) {
    got = { stdout: '', stderr: String(e.stack), code: -1 };
    if (update) console.error(e.message);
  } finally {
    fs.rmSync(app, { recursive: true });
  }
  if (update) {
    failed++;
    continue;
  }
  const wanted = fs.readFileSync(want, 'utf8');
  if (got.stdout === wanted && got.code === exits) continue;
  failed++;
  console.log(`--- ${file}: exit code ${got.code}, want ${exits}`);
  const [a, b] = [got.stdout.split('\n'), wanted.split('\n')];
  let shown = 0;
  for (let i = 0; i < Math.max(a.length, b.length) && shown < 6; i++) {
    if (a[i] === b[i]) continue;
    shown++;
    console.log(`${i + 1} got:  ${a[i]}\n${i + 1} want: ${b[i]}`);
  }
  if (got.stderr && got.code !== exits) console.log(got.stderr.slice(0, 1500));
}
console.log(`${files.length - failed} of ${files.length} programs ${update ? 'recorded' : 'behave as in Node'}`);
process.exitCode = failed > 0 ? 1 : 0;
