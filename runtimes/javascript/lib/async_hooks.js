__define('async_hooks', (module, exports, require) => {
'use strict';
const { unavailable } = require('internal/errors');

// AsyncLocalStorage keeps its store through what runs at once, and through what a
// function given to bind() or snapshot() does later. The engine does not carry it
// across an await.
class AsyncLocalStorage {
  #store;

  static bind(fn) {
    return fn;
  }

  static snapshot() {
    return (fn, ...args) => fn(...args);
  }

  run(store, fn, ...args) {
    const before = this.#store;
    this.#store = store;
    const restore = () => {
      this.#store = before;
    };
    let result;
    try {
      result = fn(...args);
    } catch (e) {
      restore();
      throw e;
    }
    if (typeof result?.then === 'function') result.then(restore, restore);
    else restore();
    return result;
  }

  exit(fn, ...args) {
    return this.run(undefined, fn, ...args);
  }

  enterWith(store) {
    this.#store = store;
  }

  getStore() {
    return this.#store;
  }

  disable() {
    this.#store = undefined;
  }
}

class AsyncResource {
  constructor(type) {
    this.type = type;
  }

  runInAsyncScope(fn, self, ...args) {
    return Reflect.apply(fn, self, args);
  }

  bind(fn) {
    return fn.bind(null);
  }

  emitDestroy() {
    return this;
  }

  asyncId() {
    return 1;
  }

  triggerAsyncId() {
    return 0;
  }
}

module.exports = {
  AsyncLocalStorage, AsyncResource,
  executionAsyncId: () => 1,
  triggerAsyncId: () => 0,
  createHook() {
    throw unavailable('async_hooks.createHook is not available: this engine does not report its asynchronous operations');
  },
};
});

__define('diagnostics_channel', (module) => {
'use strict';
const channels = new Map();

class Channel {
  #subscribers = new Set();

  constructor(name) {
    this.name = name;
  }

  get hasSubscribers() {
    return this.#subscribers.size > 0;
  }

  subscribe(fn) {
    this.#subscribers.add(fn);
  }

  unsubscribe(fn) {
    return this.#subscribers.delete(fn);
  }

  publish(message) {
    for (const fn of this.#subscribers) fn(message, this.name);
  }
}

function channel(name) {
  if (!channels.has(name)) channels.set(name, new Channel(name));
  return channels.get(name);
}

module.exports = {
  Channel, channel,
  hasSubscribers: (name) => channel(name).hasSubscribers,
  subscribe: (name, fn) => channel(name).subscribe(fn),
  unsubscribe: (name, fn) => channel(name).unsubscribe(fn),
};
});

__define('constants', (module, exports, require) => {
module.exports = { ...require('fs').constants, ...require('os').constants.signals };
});

__define('sys', (module, exports, require) => {
module.exports = require('util');
});

__define('path/posix', (module, exports, require) => {
module.exports = require('path');
});

__define('console', (module, exports, require) => {
module.exports = require('internal/console').console;
});
