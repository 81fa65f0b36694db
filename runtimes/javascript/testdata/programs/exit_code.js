// exits: 3
process.on('exit', (c) => { console.log('exiting with', c, process.exitCode); }); setTimeout(() => console.log('never'), 100); setImmediate(() => { console.log('leaving'); process.exit(3); console.log('not reached'); });
