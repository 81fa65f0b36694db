// Runs for ever when it is looked at. Getters and traps are not called for that, a
// method that says how an object looks is.
//
// status: out_of_fuel
// exit: 137
// fuel: 50_000_000
// error: out_of_fuel
// stdout: "{ a: [Getter] } {}\n"
const forever = () => { for (;;); };
const traps = {};
for (const name of Object.getOwnPropertyNames(Reflect)) traps[name] = forever;
console.log({ get a() { return forever(); } }, new Proxy({}, traps));
console.log({ [Symbol.for('nodejs.util.inspect.custom')]: forever });
