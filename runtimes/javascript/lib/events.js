__define('events', (module, exports, require) => {
'use strict';
const { coded, badType, outOfRange } = require('internal/errors');
const p = require('internal/primordials');

let defaultMaxListeners = 10;
const kCapture = Symbol('kCapture');

function check(listener) {
  if (typeof listener !== 'function') throw badType('listener', 'function', listener);
}

function EventEmitter(options) {
  EventEmitter.init.call(this, options);
}
EventEmitter.prototype._events = undefined;
EventEmitter.prototype._eventsCount = 0;
EventEmitter.prototype._maxListeners = undefined;

EventEmitter.init = function () {
  if (this._events === undefined || this._events === p.prototypeOf(this)._events) {
    this._events = { __proto__: null };
    this._eventsCount = 0;
  }
  this._maxListeners ??= undefined;
};

EventEmitter.prototype.setMaxListeners = function setMaxListeners(n) {
  if (typeof n !== 'number' || n < 0 || n !== n) throw outOfRange('setMaxListeners', 'a non-negative number', n);
  this._maxListeners = n;
  return this;
};

EventEmitter.prototype.getMaxListeners = function getMaxListeners() {
  return this._maxListeners ?? defaultMaxListeners;
};

EventEmitter.prototype.emit = function emit(type, ...args) {
  const events = this._events;
  if (type === 'error') {
    if (events?.[EventEmitter.errorMonitor] !== undefined) this.emit(EventEmitter.errorMonitor, ...args);
    if (events?.error === undefined) {
      const error = args[0];
      if (error instanceof p.Error) throw error;
      const { inspect } = require('internal/inspect');
      const unhandled = coded(Error, 'ERR_UNHANDLED_ERROR', `Unhandled error. (${typeof error === 'string' ? `'${error}'` : inspect(error)})`);
      unhandled.context = error;
      throw unhandled;
    }
  }
  const handler = events?.[type];
  if (handler === undefined) return false;
  if (typeof handler === 'function') {
    p.apply(handler, this, args);
    return true;
  }
  // A listener may add or remove others; this round has those of its start.
  const listeners = copy(handler);
  for (let i = 0; i < listeners.length; i++) p.apply(listeners[i], this, args);
  return true;
};

function copy(list) {
  const same = [];
  for (let i = 0; i < list.length; i++) same[i] = list[i];
  return same;
}

function add(target, type, listener, prepend) {
  check(listener);
  let events = target._events;
  if (events === undefined) {
    events = target._events = { __proto__: null };
    target._eventsCount = 0;
  } else if (events.newListener !== undefined) {
    target.emit('newListener', type, listener.listener ?? listener);
    events = target._events;
  }
  const existing = events[type];
  if (existing === undefined) {
    events[type] = listener;
    target._eventsCount++;
    return target;
  }
  const list = typeof existing === 'function' ? [existing] : existing;
  events[type] = list;
  if (prepend) list.unshift(listener);
  else list.push(listener);
  const limit = target.getMaxListeners?.() ?? defaultMaxListeners;
  if (limit > 0 && list.length > limit && !list.warned) {
    p.define(list, 'warned', { value: true });
    const warning = new Error(`Possible EventEmitter memory leak detected. ${list.length} ${p.stringOf(type)} listeners added to ${
      require('internal/inspect').inspect(target, { depth: -1 })}. Use emitter.setMaxListeners() to increase limit`);
    warning.name = 'MaxListenersExceededWarning';
    require('process').emitWarning(warning);
  }
  return target;
}

EventEmitter.prototype.addListener = function addListener(type, listener) {
  return add(this, type, listener, false);
};
EventEmitter.prototype.on = EventEmitter.prototype.addListener;
EventEmitter.prototype.prependListener = function prependListener(type, listener) {
  return add(this, type, listener, true);
};

function onceOf(target, type, listener) {
  check(listener);
  let fired = false;
  function wrapper(...args) {
    if (fired) return undefined;
    fired = true;
    target.removeListener(type, wrapper);
    return p.apply(listener, target, args);
  }
  wrapper.listener = listener;
  return wrapper;
}

EventEmitter.prototype.once = function once(type, listener) {
  return this.on(type, onceOf(this, type, listener));
};
EventEmitter.prototype.prependOnceListener = function prependOnceListener(type, listener) {
  return this.prependListener(type, onceOf(this, type, listener));
};

EventEmitter.prototype.removeListener = function removeListener(type, listener) {
  check(listener);
  const events = this._events;
  const list = events?.[type];
  if (list === undefined) return this;
  if (list === listener || list.listener === listener) {
    delete events[type];
    this._eventsCount--;
  } else if (typeof list !== 'function') {
    let at = list.length - 1;
    while (at >= 0 && list[at] !== listener && list[at].listener !== listener) at--;
    if (at < 0) return this;
    list.splice(at, 1);
    if (list.length === 1) [events[type]] = list;
  } else {
    return this;
  }
  if (events.removeListener !== undefined) this.emit('removeListener', type, listener.listener ?? listener);
  return this;
};
EventEmitter.prototype.off = EventEmitter.prototype.removeListener;

EventEmitter.prototype.removeAllListeners = function removeAllListeners(type) {
  const events = this._events;
  if (events === undefined) return this;
  if (events.removeListener !== undefined) {
    for (const name of type === undefined ? p.ownKeys(events) : [type]) {
      if (name !== 'removeListener') for (const listener of this.rawListeners(name).reverse()) this.removeListener(name, listener);
    }
  }
  if (type === undefined) {
    this._events = { __proto__: null };
    this._eventsCount = 0;
  } else if (events[type] !== undefined) {
    delete events[type];
    this._eventsCount--;
  }
  return this;
};

EventEmitter.prototype.rawListeners = function rawListeners(type) {
  const list = this._events?.[type];
  if (list === undefined) return [];
  return typeof list === 'function' ? [list] : copy(list);
};
EventEmitter.prototype.listeners = function listeners(type) {
  return this.rawListeners(type).map((f) => f.listener ?? f);
};
EventEmitter.prototype.listenerCount = function listenerCount(type, listener) {
  const list = this.rawListeners(type);
  return listener === undefined ? list.length : list.filter((f) => f === listener || f.listener === listener).length;
};
EventEmitter.prototype.eventNames = function eventNames() {
  return this._events === undefined ? [] : p.ownKeys(this._events);
};
for (const name of p.keys(EventEmitter.prototype)) {
  if (typeof EventEmitter.prototype[name] === 'function') p.define(EventEmitter.prototype, name, { enumerable: true });
}

// once returns a promise of the next event of that name.
function once(emitter, type, options = {}) {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(aborted(signal));
      return;
    }
    if (typeof emitter.addEventListener === 'function') {
      emitter.addEventListener(type, (event) => resolve([event]), { once: true });
      return;
    }
    const done = () => {
      emitter.removeListener(type, resolver);
      emitter.removeListener('error', failed);
      signal?.removeEventListener('abort', abort);
    };
    const resolver = (...args) => {
      done();
      resolve(args);
    };
    const failed = (error) => {
      done();
      reject(error);
    };
    const abort = () => {
      done();
      reject(aborted(signal));
    };
    emitter.once(type, resolver);
    if (type !== 'error') emitter.once('error', failed);
    signal?.addEventListener('abort', abort, { once: true });
  });
}

function aborted(signal) {
  const error = new Error('The operation was aborted', { cause: signal.reason });
  error.name = 'AbortError';
  error.code = 'ABORT_ERR';
  return error;
}

// on returns an asynchronous iterator over the events of that name.
function on(emitter, type, options = {}) {
  const events = [];
  const waiting = [];
  let failure;
  let finished = false;
  const handle = (...args) => {
    if (waiting.length > 0) waiting.shift().resolve({ value: args, done: false });
    else events.push(args);
  };
  const fail = (error) => {
    if (waiting.length > 0) waiting.shift().reject(error);
    else failure = error;
    iterator.return();
  };
  const iterator = {
    next() {
      if (events.length > 0) return Promise.resolve({ value: events.shift(), done: false });
      if (failure !== undefined) {
        const error = failure;
        failure = undefined;
        return Promise.reject(error);
      }
      if (finished) return Promise.resolve({ value: undefined, done: true });
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
      });
    },
    return() {
      emitter.removeListener(type, handle);
      emitter.removeListener('error', fail);
      finished = true;
      for (const w of waiting) w.resolve({ value: undefined, done: true });
      return Promise.resolve({ value: undefined, done: true });
    },
    throw(error) {
      failure = error;
      iterator.return();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
  emitter.on(type, handle);
  if (type !== 'error') emitter.on('error', fail);
  for (const name of options.close ?? []) emitter.on(name, () => iterator.return());
  options.signal?.addEventListener('abort', () => fail(aborted(options.signal)), { once: true });
  return iterator;
}

module.exports = EventEmitter;
Object.assign(EventEmitter, {
  once, on, EventEmitter,
  usingDomains: false,
  errorMonitor: Symbol('events.errorMonitor'),
  captureRejectionSymbol: Symbol.for('nodejs.rejection'),
  listenerCount: (emitter, type) => emitter.listenerCount(type),
  getEventListeners: (emitter, type) => emitter.listeners?.(type) ?? [],
  getMaxListeners: (emitter) => emitter.getMaxListeners?.() ?? defaultMaxListeners,
  setMaxListeners(n, ...targets) {
    if (targets.length === 0) defaultMaxListeners = n;
    for (const target of targets) target.setMaxListeners?.(n);
  },
});
Object.defineProperty(EventEmitter, 'defaultMaxListeners', {
  enumerable: true,
  get: () => defaultMaxListeners,
  set(n) {
    defaultMaxListeners = n;
  },
});
p.define(EventEmitter.prototype, kCapture, { value: false, writable: true, enumerable: false });
});
