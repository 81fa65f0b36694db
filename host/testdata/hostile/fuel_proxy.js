// Shows an array of four thousand million elements to a loop in C, which asks a proxy
// for each.
//
// status: out_of_fuel
// exit: 137
// fuel: 50_000_000
// error: out_of_fuel
const endless = new Proxy({}, { get: (_, key) => (key === 'length' ? 2 ** 53 - 1 : undefined), has: () => true });
Array.prototype.indexOf.call(endless, 1);
