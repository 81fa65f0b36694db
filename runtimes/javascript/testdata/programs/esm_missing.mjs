// only: sandboxd
// What import says of what is not there. The stand-in driver of test/engine.mjs copies errors and loses their codes.
try { await import('./missing.mjs'); } catch (e) { console.log(e.code, e.name, e instanceof Error); }
try { await import('not-a-package'); } catch (e) { console.log(e.code); }
try { await import('node:nothing'); } catch (e) { console.log(e.code); }
