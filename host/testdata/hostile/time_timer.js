// Sleeps past its time in a timer, and in all other ways of waiting.
//
// status: timeout
// exit: 124
// timeout: 2s
// stdout: "good night\n"
// error: timeout
console.log('good night');
process.on('exit', () => console.log('awake'));
setInterval(() => {}, 2 ** 31 - 1);
setTimeout(() => console.log('awake'), 2 ** 31 - 1);
new Promise(() => {});
require('timers/promises').setTimeout(1e9).then(() => console.log('awake'));
process.stdin.on('data', () => {});
