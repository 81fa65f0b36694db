// Keeps the event loop busy for ever: each event asks for the next one.
//
// status: out_of_fuel
// exit: 137
// fuel: 50_000_000
// error: out_of_fuel
const again = () => { setImmediate(again); };
again();
