// One call, from the request to the exit code.
__define('internal/main', (module, exports, require) => {
'use strict';
const p = require('internal/primordials');
const { host, slice, exec } = p;
const { quote, coded } = require('internal/errors');
const { inspect } = require('internal/inspect');
const types = require('internal/types');
const loop = require('internal/loop');
const modules = require('internal/modules');
const { process, begin, leave } = require('internal/process');
const { isError } = types.internal;

// typeOf is the name under which an uncaught value is reported.
function typeOf(value) {
  if (!isError(value)) return 'Error';
  const name = value.name;
  if (typeof name === 'string' && name !== '' && name !== 'Error') return name;
  const own = value.constructor?.name;
  return typeof own === 'string' && own !== '' ? own : 'Error';
}

function describe(error) {
  if (!isError(error)) return { type: 'Error', message: typeof error === 'string' ? error : inspect(error) };
  return { type: typeOf(error), message: p.stringOf(error.message) };
}

// lineOf is the line of the program that a stack names first, or 0.
function lineOf(stack) {
  const m = exec(/\n    at (?:.*\()?(?:\/|\[)[^\n]*?:(\d+):\d+\)?(?=\n|$)/, stack);
  return m === null ? 0 : p.toNumber(m[1]);
}

// fail prints and reports what nobody caught, and ends the program.
function fail(error, origin) {
  let text;
  let stack = '';
  let what = { type: 'Error', message: 'an error that cannot be shown' };
  try {
    what = describe(error);
    if (isError(error)) {
      stack = p.stringOf(error.stack ?? '');
      text = `${quote(stack)}${inspect(error)}`;
    } else if (origin === 'unhandledRejection') {
      const reason = coded(Error, 'ERR_UNHANDLED_REJECTION', 'This error originated either by throwing inside of an async function without '
        + `a catch block, or by rejecting a promise which was not handled with .catch(). The promise rejected with the reason "${
          typeof error === 'string' ? error : inspect(error)}".`);
      what = { type: 'UnhandledPromiseRejection', message: what.message };
      text = `[UnhandledPromiseRejection: ${reason.message}] {\n  code: 'ERR_UNHANDLED_REJECTION'\n}`;
    } else {
      text = `Uncaught:\n${typeof error === 'string' ? error : inspect(error)}`;
    }
  } catch {
    text ??= 'Uncaught error';
  }
  host('write', { fd: 2, text: `${text}\n` });
  host('report', { type: what.type, message: slice(what.message, 0, 100000), line: lineOf(stack) });
  let code = 1;
  try {
    process.exitCode = undefined;
    code = leave(1) || 1;
  } catch {
    code = 7;
  }
  host('exit', { code });
}

function uncaught(error, origin) {
  try {
    if (typeof process.captureCallback === 'function') {
      process.captureCallback(error, origin);
      return;
    }
    process.emit('uncaughtExceptionMonitor', error, origin);
    if (process.emit('uncaughtException', error, origin)) return;
  } catch (e) {
    error = e;
  }
  fail(error, origin);
}

loop.hooks.uncaught = uncaught;
loop.hooks.rejected = (reason, promise) => {
  loop.guard(() => {
    if (process.emit('unhandledRejection', reason, promise)) return;
    uncaught(reason, 'unhandledRejection');
  }, undefined, []);
};
loop.hooks.handled = (promise) => {
  process.emit('rejectionHandled', promise);
};

let kept = false;
// keeping says whether the interpreter goes on after this call.
const keeping = () => kept;

function run() {
  const request = host('request');
  kept = request.keep;
  if (request.stateful) loop.reset();
  begin(request);
  require('internal/globals').begin(request);
  let end;
  try {
    end = modules.runMain(request);
  } catch (e) {
    uncaught(e, 'uncaughtException');
  }
  if (types.isPromise(end)) {
    p.then(end, undefined, (e) => {
      uncaught(e, 'uncaughtException');
    });
    // A module's own jobs come before its ticks.
    host('jobs');
  }
  loop.run();
  while (!kept && process._events?.beforeExit !== undefined) {
    loop.guard(() => process.emit('beforeExit', process.exitCode ?? 0), undefined, []);
    loop.drain();
    if (!loop.alive()) break;
    loop.run();
  }
  if (types.isPromise(end) && host('promise', { value: end }).state === 'pending') {
    host('write', { fd: 2, text: `Warning: Detected unsettled top-level await at ${request.filename || '[eval]'}\n` });
    process.exitCode ??= 13;
  }
  try {
    return leave();
  } catch (e) {
    fail(e, 'uncaughtException');
    return 7;
  }
}

module.exports = { run, keeping, hooks: { resolve: modules.resolveModule, load: modules.loadModule } };
});
