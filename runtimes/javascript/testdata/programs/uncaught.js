// exits: 1
process.on('exit', (c) => console.log('exit', c)); console.log('start'); setTimeout(() => console.log('not reached'), 50); setTimeout(() => { const user = undefined; console.log(user.name); }, 1);
