// Ask for memory beyond every limit in one piece, again and again.
//
// memory: 32MiB
// status: ok
// exit: 0
// stdout: "refused\n"
let refused = 0;
for (let i = 0; i < 100; i++) {
  try {
    new Uint8Array(2 ** 31 - 1).fill(1);
  } catch {
    refused++;
  }
}
console.log(refused === 100 ? "refused" : "given");
