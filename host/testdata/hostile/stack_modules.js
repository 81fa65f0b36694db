// Imports a chain of modules that is longer than the stack is deep.
//
// status: ok
// exit: 0
// fuel: 4_000_000_000
// files: 3000
// stdout: "object\n"
const fs = require('fs');
const n = 800;
for (let i = 0; i < n; i++) fs.writeFileSync(`m${i}.mjs`, `import './m${i + 1}.mjs';`);
fs.writeFileSync(`m${n}.mjs`, '');
import('./m0.mjs').catch((e) => e).then((v) => console.log(typeof v));
