// The guest's half of the driver in host/quickjs.go. The host evaluates this file
// first and calls what it gives with the functions that were added to the module:
//
//   call(op, text, view)      an operation of the host's: text and bytes go out, and
//                             a number, a JSON value, an ArrayBuffer or a string
//                             comes back; an array is a failure
//   evaluate(code, name, module)
//   jobs()                    runs pending jobs
//   state(v), result(v)       of a promise; a negative state if it is none
//   target(v), handler(v)     of a proxy; undefined if it is none
//   forget(name)              deletes a declaration of an earlier script
//   stop(error)               makes an error one that nothing catches
//   install(...)              sets the functions that the module calls
//
// It makes __host of them, evaluates the library, and gets everything ready for
// the first program. README.md has the contract with the library. Programs run in
// the same realm: what is used here after the warm-up is captured here.
(function (call, evaluate, jobs, state, result, target, handler, forget, stop, install) {
  'use strict';

  const { stringify } = JSON;
  const { isView } = ArrayBuffer;
  const { isArray } = Array;
  const { defineProperty } = Reflect;
  const Bytes = Uint8Array;
  const { create } = Object;
  const Failure = Error.prototype;
  const End = Error;
  const SyntaxFailure = SyntaxError;
  const { random } = Math; // the engine's own, whatever the library makes of it

  const none = new Bytes(0);
  const ops = { __proto__: null };
  const { names } = call(0, '', none);
  for (let i = 0; i < names.length; i++) ops[names[i]] = i;
  const { write1, write2 } = ops;
  const states = { __proto__: null, 0: 'pending', 1: 'fulfilled', 2: 'rejected' };

  // Operations whose reply is bytes.
  const giveBytes = { __proto__: null, read: true, read_stdin: true, random: true, hash: true };

  // What the engine told of rejected promises: promise, reason, handled, and so on.
  let rejected = [];
  const set = (object, key, value) => defineProperty(object, key, {
    __proto__: null, value, writable: true, enumerable: true, configurable: true,
  });

  function fail(op, code, message) {
    if (code === 'SyntaxError') throw new SyntaxFailure(message);
    // Not made by its constructor: a stack, which the library looks through and
    // formats, costs many times what the operation does.
    const error = create(Failure);
    set(error, 'message', code + ': ' + message);
    set(error, 'code', code);
    set(error, 'syscall', op);
    throw error;
  }

  function ask(name, text, view) {
    const op = ops[name];
    if (op === undefined) fail(name, 'ENOSYS', 'function not implemented');
    const reply = call(op, text, view);
    return isArray(reply) ? fail(name, reply[0], reply[1]) : reply;
  }

  function viewOf(bytes) {
    if (bytes === undefined) return none;
    return isView(bytes) ? bytes : new Bytes(bytes);
  }

  // Operations on values of the guest's, which do not go to the host or not as JSON.
  const special = {
    __proto__: null,
    write(args, bytes) {
      const op = args.fd === 1 ? write1 : args.fd === 2 ? write2 : fail('write', 'EBADF', 'bad file descriptor');
      if (args.text !== undefined) call(op, args.text, none);
      else call(op, '', viewOf(bytes));
      return {};
    },
    utf8(args) { return { bytes: ask('utf8', args.text, none) }; },
    text(args, bytes) {
      const text = ask('text', '', viewOf(bytes));
      return text === undefined ? {} : { text };
    },
    eval(args) { return { value: evaluate(args.code, args.filename, args.kind === 'module' ? 1 : args.kind === 'async' ? 128 : 0) }; },
    jobs() {
      jobs();
      if (left) abandon();
      return {};
    },
    forget(args) { return { gone: forget(args.name) === 1 }; },
    exit(args) {
      ask('exit', stringify(args), none);
      left = true; // it came back: the interpreter is kept
      abandon();
    },
    rejections() {
      const list = rejected;
      rejected = [];
      return { list };
    },
    promise(args) {
      const s = states[state(args.value)];
      return s === undefined ? {} : { state: s, value: s === 'pending' ? undefined : result(args.value) };
    },
    proxy(args) {
      const t = target(args.value);
      return t === undefined ? {} : { target: t, handler: handler(args.value) };
    },
  };

  // left says that the program of a call is over, though there may be more of it to run.
  let left = false;
  function abandon() {
    const error = new End(); // stop looks for the engine's own mark of an error
    stop(error);
    throw error;
  }

  function __host(op, args, bytes) {
    const own = special[op];
    if (own !== undefined) return own(args, bytes);
    const reply = ask(op, args === undefined ? '{}' : stringify(args), viewOf(bytes));
    switch (typeof reply) {
      case 'number': return op === 'open' ? { fd: reply } : { written: reply };
      case 'string': return { code: reply };
      case 'undefined': return {};
    }
    return giveBytes[op] ? { bytes: reply } : reply;
  }

  // The library. It finds __host as a global, and leaves __hooks.
  globalThis.__host = __host;
  const { files } = ask('library', '', none);
  for (let i = 0; i < files.length; i++) {
    const name = files[i];
    evaluate(ask('source', name, none), 'node:' + name.slice(0, -3), 0);
  }
  const hooks = globalThis.__hooks;
  delete globalThis.__hooks;
  delete globalThis.__host;
  const { run, keeping } = hooks;
  install(hooks.resolve, hooks.load, (promise, reason, handled) => {
    set(rejected, rejected.length, promise);
    set(rejected, rejected.length, reason);
    set(rejected, rejected.length, handled);
  }, () => {
    left = false;
    ask('begin', '', none);
    const code = run();
    if (code !== 0 || keeping()) ask('exit', stringify({ code }), none);
  }, () => {
    if (!left) throw new SyntaxFailure();
  });

  // A rehearsal: whatever an engine makes when it is first used is part of the
  // image then, and not of every call.
  evaluate(`(() => {
    class A { #x = 1; get x() { return this.#x; } }
    const f = async (n) => { for await (const v of [n]) return v; };
    f(1).then((v) => { if (v !== 1) throw new TypeError('rehearsal'); });
    function* g() { yield* [1, 2]; }
    try { null.x; } catch (e) { String(e.stack); }
    return JSON.stringify([...g(), new A().x, /a(b)?/u.exec('ab'), \`\${new Date(0).toISOString()}\`, new Map([[1, 2]]).size, 1n << 70n].map(String));
  })()`, 'rehearsal', 0);
  evaluate('export default await 1;', 'rehearsal', 1);
  jobs();
  rejected = [];

  // The host finds the generator's state by the last number it gave.
  ask('checkpoint', stringify({ random: random() }), none);
})
