// stdin: "first line\nsecond line\n\nlast without end"
const rl = require('readline').createInterface({ input: process.stdin, terminal: false }); let n = 0; rl.on('line', (l) => console.log(++n, JSON.stringify(l))); rl.on('close', () => console.log('lines', n));
