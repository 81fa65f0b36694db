// Doubles a text until there is no memory. Joined texts are made when they are read.
//
// status: out_of_memory
// exit: 137
// memory: 48MiB
// error: out_of_memory
let s = 'ab\u1234';
for (;;) {
  s += s;
  s.charCodeAt(1);
}
