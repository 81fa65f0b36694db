// exits: 1
async function main() { await null; throw new TypeError('from async'); } process.on('exit', (c) => console.log('exit', c)); main(); setTimeout(() => console.log('never'), 10);
