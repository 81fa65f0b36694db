// Keeps buffers until there is no memory.
//
// status: out_of_memory
// exit: 137
// memory: 48MiB
// error: out_of_memory
const all = [];
for (;;) all.push(new ArrayBuffer(1 << 20));
