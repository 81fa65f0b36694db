__define('timers', (module, exports, require) => {
'use strict';
const loop = require('internal/loop');

function abortError(signal) {
  const error = new Error('The operation was aborted', { cause: signal.reason });
  error.name = 'AbortError';
  error.code = 'ABORT_ERR';
  return error;
}

// waiting makes a promise of what start sets and clear takes back.
function waiting(start, clear) {
  return (value, options = {}) => new Promise((resolve, reject) => {
    const { signal, ref = true } = options;
    if (signal?.aborted) {
      reject(abortError(signal));
      return;
    }
    const abort = () => {
      clear(timer);
      reject(abortError(signal));
    };
    const timer = start(() => {
      signal?.removeEventListener('abort', abort);
      resolve(value);
    });
    if (!ref) timer.unref();
    signal?.addEventListener('abort', abort, { once: true });
  });
}

const promises = {
  setTimeout: (delay, value, options) => waiting((fn) => loop.setTimeout(fn, delay), loop.clearTimeout)(value, options),
  setImmediate: (value, options) => waiting(loop.setImmediate, loop.clearImmediate)(value, options),
  async* setInterval(delay, value, options = {}) {
    for (;;) yield await promises.setTimeout(delay, value, options);
  },
  scheduler: {
    wait: (delay, options) => promises.setTimeout(delay, undefined, options),
    yield: () => promises.setImmediate(),
  },
};
const { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate } = loop;
module.exports = { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate, promises };
});

__define('timers/promises', (module, exports, require) => {
module.exports = require('timers').promises;
});
