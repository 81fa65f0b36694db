// Lets one promise lead to the next, so that the turn of a timer never comes.
//
// status: out_of_fuel
// exit: 137
// fuel: 50_000_000
// error: out_of_fuel
// stdout: "start\n"
setTimeout(() => process.exit(0), 0);
const again = () => Promise.resolve().then(again);
again();
(async () => { for (;;) await null; })();
process.nextTick(function next() { process.nextTick(next); });
console.log('start');
