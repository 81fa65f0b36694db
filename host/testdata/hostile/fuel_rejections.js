// Answers each rejection that nobody handled with the next one.
//
// status: out_of_fuel
// exit: 137
// fuel: 50_000_000
// error: out_of_fuel
process.on('unhandledRejection', (reason) => { Promise.reject(reason); });
Promise.reject(new Error('again'));
