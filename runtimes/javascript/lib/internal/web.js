// Events, abort signals and message channels, as in browsers.
__define('internal/web', (module, exports, require) => {
'use strict';
const { coded, badType } = require('internal/errors');
const { inspect } = require('internal/inspect');
const loop = require('internal/loop');

const states = new WeakMap();

class Event {
  constructor(type, options = {}) {
    if (arguments.length === 0) throw coded(TypeError, 'ERR_MISSING_ARGS', 'The "type" argument must be specified');
    states.set(this, {
      type: `${type}`, bubbles: Boolean(options.bubbles), cancelable: Boolean(options.cancelable), composed: Boolean(options.composed),
      target: null, current: null, phase: 0, prevented: false, stopped: false, time: require('perf_hooks').performance.now(),
    });
  }

  get type() { return states.get(this).type; }

  get target() { return states.get(this).target; }

  get currentTarget() { return states.get(this).current; }

  get srcElement() { return this.target; }

  get bubbles() { return states.get(this).bubbles; }

  get cancelable() { return states.get(this).cancelable; }

  get composed() { return states.get(this).composed; }

  get defaultPrevented() { return states.get(this).prevented; }

  get returnValue() { return !this.defaultPrevented; }

  get eventPhase() { return states.get(this).phase; }

  get timeStamp() { return states.get(this).time; }

  get isTrusted() { return false; }

  composedPath() {
    return states.get(this).phase === 0 ? [] : [this.target];
  }

  preventDefault() {
    const state = states.get(this);
    if (state.cancelable && !state.passive) state.prevented = true;
  }

  stopPropagation() {}

  stopImmediatePropagation() {
    states.get(this).stopped = true;
  }

  [inspect.custom](depth, options) {
    return `${this.constructor.name} ${inspect({
      type: this.type, defaultPrevented: this.defaultPrevented, cancelable: this.cancelable, timeStamp: this.timeStamp,
    }, { ...options, depth: 0 })}`;
  }
}
for (const [name, value] of [['NONE', 0], ['CAPTURING_PHASE', 1], ['AT_TARGET', 2], ['BUBBLING_PHASE', 3]]) {
  Object.defineProperty(Event, name, { value });
  Object.defineProperty(Event.prototype, name, { value });
}
Object.defineProperty(Event.prototype, Symbol.toStringTag, { value: 'Event', configurable: true });

class CustomEvent extends Event {
  #detail;

  constructor(type, options = {}) {
    super(type, options);
    this.#detail = options.detail ?? null;
  }

  get detail() {
    return this.#detail;
  }
}

class MessageEvent extends Event {
  #data;

  constructor(type, options = {}) {
    super(type, options);
    this.#data = options.data ?? null;
  }

  get data() {
    return this.#data;
  }
}

const listeners = new WeakMap();

class EventTarget {
  constructor() {
    listeners.set(this, new Map());
  }

  addEventListener(type, listener, options) {
    if (listener == null) return;
    if (typeof listener !== 'function' && typeof listener !== 'object') throw badType('listener', 'EventListener', listener);
    const { once = false, capture = false, signal, passive = false } = typeof options === 'boolean' ? { capture: options } : options ?? {};
    if (signal?.aborted) return;
    const map = listeners.get(this);
    if (!map.has(`${type}`)) map.set(`${type}`, []);
    const list = map.get(`${type}`);
    if (list.some((one) => one.listener === listener && one.capture === capture)) return;
    list.push({ listener, once, capture, passive });
    signal?.addEventListener('abort', () => this.removeEventListener(type, listener, { capture }), { once: true });
  }

  removeEventListener(type, listener, options) {
    const capture = Boolean(typeof options === 'boolean' ? options : options?.capture);
    const list = listeners.get(this).get(`${type}`);
    const at = list?.findIndex((one) => one.listener === listener && one.capture === capture) ?? -1;
    if (at >= 0) list.splice(at, 1)[0].removed = true;
  }

  dispatchEvent(event) {
    if (!(event instanceof Event)) throw badType('event', 'Event', event);
    const state = states.get(event);
    if (state.phase !== 0) throw coded(Error, 'ERR_EVENT_RECURSION', `The event "${event.type}" is already being dispatched`);
    state.target = state.current = this;
    state.phase = 2;
    const handler = this[`on${event.type}`];
    if (typeof handler === 'function' && Object.getPrototypeOf(this).constructor !== Object) loop.guard(handler, this, [event]);
    for (const one of [...listeners.get(this).get(event.type) ?? []]) {
      if (one.removed) continue;
      if (one.once) this.removeEventListener(event.type, one.listener, one);
      state.passive = one.passive;
      const { listener } = one;
      if (typeof listener === 'function') tell(listener, this, event);
      else if (typeof listener.handleEvent === 'function') tell(listener.handleEvent, listener, event);
      if (state.stopped) break;
    }
    state.phase = 0;
    state.current = null;
    return !state.prevented;
  }
}
Object.defineProperty(EventTarget.prototype, Symbol.toStringTag, { value: 'EventTarget', configurable: true });

// tell calls a listener; what it throws is an uncaught exception of its own.
function tell(listener, self, event) {
  try {
    listener.call(self, event);
  } catch (e) {
    loop.nextTick(() => {
      throw e;
    });
  }
}

const token = Symbol('signal');
const signals = new WeakMap();

class AbortSignal extends EventTarget {
  constructor(mark) {
    if (mark !== token) throw coded(TypeError, 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
    super();
    signals.set(this, { aborted: false, reason: undefined });
    this.onabort = null;
    Object.defineProperty(this, 'onabort', { enumerable: false });
  }

  static abort(reason = new DOMException('This operation was aborted', 'AbortError')) {
    const signal = new AbortSignal(token);
    signals.set(signal, { aborted: true, reason });
    return signal;
  }

  static timeout(delay) {
    const signal = new AbortSignal(token);
    loop.setTimeout(() => abort(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError')), delay).unref();
    return signal;
  }

  static any(list) {
    const signal = new AbortSignal(token);
    for (const one of list) {
      if (one.aborted) {
        abort(signal, one.reason);
        break;
      }
      one.addEventListener('abort', () => abort(signal, one.reason), { once: true });
    }
    return signal;
  }

  get aborted() {
    return signals.get(this).aborted;
  }

  get reason() {
    return signals.get(this).reason;
  }

  throwIfAborted() {
    if (this.aborted) throw this.reason;
  }

  [inspect.custom](depth, options) {
    return `AbortSignal ${inspect({ aborted: this.aborted }, { ...options, depth: 0 })}`;
  }
}
Object.defineProperty(AbortSignal.prototype, Symbol.toStringTag, { value: 'AbortSignal', configurable: true });

function abort(signal, reason) {
  const state = signals.get(signal);
  if (state.aborted) return;
  state.aborted = true;
  state.reason = reason;
  signal.dispatchEvent(new Event('abort'));
}

class AbortController {
  #signal = new AbortSignal(token);

  get signal() {
    return this.#signal;
  }

  abort(reason = new DOMException('This operation was aborted', 'AbortError')) {
    abort(this.#signal, reason);
  }

  [inspect.custom](depth, options) {
    return `AbortController ${inspect({ signal: this.signal }, options)}`;
  }
}
Object.defineProperty(AbortController.prototype, Symbol.toStringTag, { value: 'AbortController', configurable: true });

class MessagePort extends EventTarget {
  #other;
  #queue = [];
  #started = false;
  #handler = null;
  #closed = false;

  static pair() {
    const a = new MessagePort();
    const b = new MessagePort();
    a.#other = b;
    b.#other = a;
    return [a, b];
  }

  postMessage(value) {
    const data = require('internal/clone').structuredClone(value);
    this.#other.#receive(data);
  }

  #receive(data) {
    if (this.#closed) return;
    this.#queue.push(data);
    if (this.#started) this.#deliver();
  }

  #deliver() {
    while (this.#queue.length > 0) {
      const data = this.#queue.shift();
      loop.complete(() => {
        if (!this.#closed) this.dispatchEvent(new MessageEvent('message', { data }));
      });
    }
  }

  get onmessage() {
    return this.#handler;
  }

  set onmessage(handler) {
    this.#handler = handler;
    this.start();
  }

  on(type, listener) {
    this.addEventListener(type, (event) => listener(event.data));
    if (type === 'message') this.start();
    return this;
  }

  once(type, listener) {
    this.addEventListener(type, (event) => listener(event.data), { once: true });
    if (type === 'message') this.start();
    return this;
  }

  start() {
    this.#started = true;
    this.#deliver();
  }

  close() {
    this.#closed = true;
  }

  ref() {}

  unref() {}
}

class MessageChannel {
  constructor() {
    [this.port1, this.port2] = MessagePort.pair();
  }
}

class BroadcastChannel extends EventTarget {
  static #all = new Set();

  constructor(name) {
    super();
    this.name = `${name}`;
    this.onmessage = null;
    BroadcastChannel.#all.add(this);
  }

  postMessage(value) {
    for (const other of BroadcastChannel.#all) {
      if (other === this || other.name !== this.name) continue;
      const data = require('internal/clone').structuredClone(value);
      loop.complete(() => other.dispatchEvent(new MessageEvent('message', { data })));
    }
  }

  close() {
    BroadcastChannel.#all.delete(this);
  }
}

module.exports = {
  Event, CustomEvent, MessageEvent, EventTarget, AbortController, AbortSignal, MessageChannel, MessagePort, BroadcastChannel,
};
});
