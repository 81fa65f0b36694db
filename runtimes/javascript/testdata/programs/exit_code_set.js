// exits: 2
process.exitCode = 2; process.on('beforeExit', () => { if (!globalThis.once) { globalThis.once = true; console.log('before exit'); setTimeout(() => console.log('one more'), 1); } }); process.on('exit', (c) => console.log('exit', c)); console.log('end of main');
