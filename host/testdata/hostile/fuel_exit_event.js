// Ends well, and then does not end.
//
// status: out_of_fuel
// exit: 137
// fuel: 50_000_000
// error: out_of_fuel
process.on('exit', () => { for (;;); });
process.exit(0);
