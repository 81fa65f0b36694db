// Breaks whatever might end it or tell of its error, and fails then.
//
// status: error
// exit: 1
// error: TypeError
const nothing = () => {};
process.exit = process.reallyExit = process.abort = process.emit = nothing;
console.error = console.log = process.stderr.write = process.stdout.write = nothing;
JSON.stringify = () => '{"code":0}';
JSON.parse = nothing;
Error.prepareStackTrace = () => { throw new Error('no'); };
Error.stackTraceLimit = 0;
Promise.prototype.then = nothing;
String.prototype.toString = Array.prototype.join = Reflect.apply = Function.prototype.call = nothing;
Object.defineProperty(Object.prototype, 'code', { get: () => 0, set: nothing });
const error = new TypeError('mine');
Object.defineProperty(error, 'stack', { get() { throw error; } });
throw error;
