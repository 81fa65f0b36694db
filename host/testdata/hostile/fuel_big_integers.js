// Multiplies numbers of a million digits: one instruction of the program's each.
//
// status: out_of_fuel
// exit: 137
// fuel: 100_000_000
// error: out_of_fuel
const n = 3n ** 400_000n;
for (let i = 0; i < 1000; i++) n * n;
console.log(String(n).length);
