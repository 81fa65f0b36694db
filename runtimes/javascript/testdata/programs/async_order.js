// The order of ticks, microtasks, timers and immediates.
console.log('1 sync');
setTimeout(() => { console.log('8 timeout 0'); process.nextTick(() => console.log('9 tick in timeout')); Promise.resolve().then(() => console.log('10 micro in timeout')); }, 0);
setTimeout(() => console.log('13 timeout 200'), 200);
setTimeout(() => console.log('12 timeout 10'), 10);
setImmediate(() => console.log('11 immediate'));
process.nextTick(() => { console.log('3 tick'); process.nextTick(() => console.log('4 tick in tick')); });
Promise.resolve().then(() => { console.log('5 micro'); process.nextTick(() => console.log('7 tick from micro')); }).then(() => console.log('6b micro then'));
queueMicrotask(() => console.log('6a microtask'));
(async () => { console.log('2 async body'); await null; console.log('6 after await'); })();
process.on('exit', (code) => console.log('14 exit', code));
