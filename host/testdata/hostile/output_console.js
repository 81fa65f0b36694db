// Writes without end, to both streams and by every way.
//
// status: out_of_fuel
// exit: 137
// fuel: 200_000_000
// stdout cap: 10KB
// stderr cap: 10KB
// truncated: yes
const line = 'x'.repeat(999);
for (;;) {
  console.log(line);
  console.error(line);
  console.table([{ line }]);
  process.stdout.write(Buffer.alloc(100_000, 'y'));
  require('fs').writeSync(2, line);
}
