// Backtracks for ever inside one regular expression, whose engine is in C.
//
// status: out_of_fuel
// exit: 137
// fuel: 50_000_000
// error: out_of_fuel
// stdout: "start\n"
console.log('start');
/^(a+)+$/.test('a'.repeat(64) + 'b');
