// Imports modules that import themselves, and the same one under ever new names.
//
// status: out_of_fuel
// exit: 137
// fuel: 400_000_000
// error: out_of_fuel
// stdout: "circle\n"
const fs = require('fs');
fs.writeFileSync('a.mjs', 'import * as b from "./b.mjs"; export const a = () => b;');
fs.writeFileSync('b.mjs', 'import * as a from "./a.mjs"; import * as self from "./b.mjs"; export const b = [a, self];');
fs.writeFileSync('c.mjs', 'await import("./c.mjs?" + Math.random());');
import('./a.mjs').then(({ a }) => {
  if (a().b[1].b === a().b) console.log('circle');
  (async () => { for (let i = 0; ; i++) await import(`${'./'.repeat(i % 50)}./b.mjs?${i}`); })();
});
