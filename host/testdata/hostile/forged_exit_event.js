// Exits with the codes by which limits are told: in handlers, after the end, from what
// must not return. The first one from within the handler holds.
//
// status: error
// exit: 125
// error: exit
process.on('exit', () => {
  process.exitCode = 137;
  try { process.exit(125); } finally { process.exit(124); }
});
(async () => {
  try { process.exit(0xFFFFFFFF); } finally { await null; process.exit(0); }
})();
