// The event loop: what runs when, in Node's order, until nothing is left.
//
// One turn: timers that are due, then the completions of asynchronous file
// operations, then immediates. After every single callback come the ticks of
// process.nextTick and the engine's promise jobs, and then rejections that
// nobody handled.
__define('internal/loop', (module, exports, require) => {
'use strict';
const p = require('internal/primordials');
const { host } = p;
const { needFunction } = require('internal/errors');

// Queue is first in, first out, and cheap at both ends.
class Queue {
  #items = [];
  #head = 0;

  get length() {
    return this.#items.length - this.#head;
  }

  push(item) {
    this.#items[this.#items.length] = item;
  }

  shift() {
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    }
    return item;
  }
}

const ticks = new Queue();
const completions = new Queue();
let immediates = [];
let referenced = 0; // timers and immediates that keep the program alive

// heap holds the timers, the earliest first; timers due at the same time run in
// the order of their making.
const heap = [];
let made = 0;

// outside holds what is to be called when the host has done something, by the number
// that the host gave it.
const outside = new p.SafeMap();

// time is the loop's clock in milliseconds. It moves between callbacks and after
// long ones only, so that the order of timers does not depend on how fast the
// machine is.
let time = 0;
const slack = 5;

function clock() {
  return p.toNumber(p.slice(host('now').ns, 0, -6));
}

function earlier(a, b) {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}

function place(timer, i) {
  heap[i] = timer;
  timer.at = i;
}

function up(timer, i) {
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (!earlier(timer, heap[parent])) break;
    place(heap[parent], i);
    i = parent;
  }
  place(timer, i);
}

function down(timer, i) {
  for (;;) {
    let child = 2 * i + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && earlier(heap[child + 1], heap[child])) child++;
    if (!earlier(heap[child], timer)) break;
    place(heap[child], i);
    i = child;
  }
  place(timer, i);
}

function schedule(timer) {
  timer.due = time + timer.delay;
  timer.order = made++;
  up(timer, heap.length);
}

function unschedule(timer) {
  const { at } = timer;
  const last = heap[heap.length - 1];
  heap.length--;
  timer.at = -1;
  if (last === timer) return;
  if (at > 0 && earlier(last, heap[(at - 1) >> 1])) up(last, at);
  else down(last, at);
}

const timersById = new p.SafeMap();
const states = new p.WeakMap();
const stateOf = p.uncurry(WeakMap.prototype.get);
const setState = p.uncurry(WeakMap.prototype.set);

class Timeout {
  constructor(callback, delay, args, repeat) {
    const now = clock();
    if (now - time > slack) time = now;
    const state = { callback, args, delay, repeat, due: 0, order: 0, at: -1, ref: true, live: true, id: 0, owner: this };
    setState(states, this, state);
    referenced++;
    schedule(state);
  }

  ref() {
    const state = stateOf(states, this);
    if (state.live && !state.ref) referenced++;
    state.ref = true;
    return this;
  }

  unref() {
    const state = stateOf(states, this);
    if (state.live && state.ref) referenced--;
    state.ref = false;
    return this;
  }

  hasRef() {
    return stateOf(states, this).ref;
  }

  refresh() {
    const state = stateOf(states, this);
    if (state.at >= 0) unschedule(state);
    else if (!state.live) {
      state.live = true;
      if (state.ref) referenced++;
    }
    schedule(state);
    return this;
  }

  close() {
    clearTimeout(this);
    return this;
  }

  [Symbol.toPrimitive]() {
    const state = stateOf(states, this);
    if (state.id === 0) {
      state.id = state.order + 1;
      timersById.set(state.id, this);
    }
    return state.id;
  }

  [Symbol.dispose ?? Symbol('dispose')]() {
    clearTimeout(this);
  }
}

function retire(state) {
  if (!state.live) return;
  state.live = false;
  if (state.ref) referenced--;
  if (state.id !== 0) timersById.delete(state.id);
}

function delayOf(delay) {
  delay = +delay;
  return delay >= 1 && delay <= 2147483647 ? p.trunc(delay) : 1;
}

function setTimeout(callback, delay, ...args) {
  needFunction(callback);
  return new Timeout(callback, delayOf(delay), args, false);
}

function setInterval(callback, delay, ...args) {
  needFunction(callback);
  return new Timeout(callback, delayOf(delay), args, true);
}

function clearTimeout(timer) {
  if (typeof timer === 'number' || typeof timer === 'string') timer = timersById.get(+timer);
  if (timer === null || typeof timer !== 'object') return;
  const state = stateOf(states, timer);
  if (state === undefined) return;
  if (state.at >= 0) unschedule(state);
  retire(state);
}

class Immediate {
  constructor(callback, args) {
    setState(states, this, { callback, args, ref: true, live: true });
    referenced++;
    immediates[immediates.length] = this;
  }

  ref() {
    const state = stateOf(states, this);
    if (state.live && !state.ref) referenced++;
    state.ref = true;
    return this;
  }

  unref() {
    const state = stateOf(states, this);
    if (state.live && state.ref) referenced--;
    state.ref = false;
    return this;
  }

  hasRef() {
    return stateOf(states, this).ref;
  }
}

function setImmediate(callback, ...args) {
  needFunction(callback);
  return new Immediate(callback, args);
}

function clearImmediate(immediate) {
  if (immediate === null || typeof immediate !== 'object') return;
  const state = stateOf(states, immediate);
  if (state === undefined || !state.live) return;
  state.live = false;
  if (state.ref) referenced--;
}

function nextTick(callback, ...args) {
  needFunction(callback);
  ticks.push({ callback, args });
}

const resolved = p.Promise.resolve();
function queueMicrotask(callback) {
  needFunction(callback);
  p.then(resolved, () => {
    guard(callback, undefined, []);
  });
}

// complete has callback called in a later turn of the loop, as the completion of
// an asynchronous operation.
function complete(callback, ...args) {
  completions.push({ callback, args });
}

// expect has callback called with what the host says when it has done what it gave
// this number, which keeps the program alive.
function expect(id, callback) {
  outside.set(id, callback);
}

// collect waits until the host has done something, or for so many milliseconds, or for
// ever if they are negative; it returns whether there was something.
function collect(ms) {
  const done = host('tool_wait', { ms });
  if (done.id === 0) return false;
  const callback = outside.get(done.id);
  outside.delete(done.id);
  guard(callback, undefined, [done]);
  drain();
  return true;
}

// guard calls a function of the program; what it throws goes where uncaught
// exceptions go.
function guard(callback, self, args) {
  try {
    p.apply(callback, self, args);
  } catch (e) {
    hooks.uncaught(e, 'uncaughtException');
  }
}

// hooks are set by internal/main.
const hooks = { uncaught: undefined };

const unhandled = new p.SafeMap();
const order = [];

// drain runs ticks and promise jobs until there are none, then deals with
// rejections.
function drain() {
  do {
    do {
      while (ticks.length > 0) {
        const { callback, args } = ticks.shift();
        guard(callback, undefined, args);
      }
      host('jobs');
    } while (ticks.length > 0);
  } while (rejections());
}

// rejections reports every promise rejected and not handled by now; it returns
// whether it ran code of the program.
function rejections() {
  const { list } = host('rejections');
  if (list !== undefined) {
    for (let i = 0; i < list.length; i += 3) {
      if (list[i + 2]) {
        const known = unhandled.get(list[i]);
        unhandled.delete(list[i]);
        if (known?.told) nextTick(() => hooks.handled(list[i]));
      } else {
        unhandled.set(list[i], { reason: list[i + 1], told: false });
        order[order.length] = list[i];
      }
    }
  }
  if (order.length === 0) return false;
  let ran = false;
  for (let i = 0; i < order.length; i++) {
    const known = unhandled.get(order[i]);
    if (known === undefined || known.told) continue;
    known.told = true;
    ran = true;
    hooks.rejected(known.reason, order[i]);
  }
  order.length = 0;
  return ran;
}

function runTimers() {
  while (heap.length > 0 && heap[0].due <= time) {
    const state = heap[0];
    unschedule(state);
    if (!state.repeat) retire(state);
    guard(state.callback, state.owner, state.args);
    if (state.repeat && state.live && state.at < 0) {
      const now = clock();
      if (now - time > slack) time = now;
      schedule(state);
    }
    drain();
  }
}

function runCompletions() {
  for (let n = completions.length; n > 0; n--) {
    const { callback, args } = completions.shift();
    guard(callback, undefined, args);
    drain();
  }
}

function runImmediates() {
  const now = immediates;
  immediates = [];
  for (let i = 0; i < now.length; i++) {
    const state = stateOf(states, now[i]);
    if (!state.live) continue;
    clearImmediate(now[i]);
    guard(state.callback, now[i], state.args);
    drain();
  }
}

const alive = () => referenced > 0 || completions.length > 0 || outside.size > 0;

// run turns the loop until nothing keeps the program alive.
function run() {
  drain();
  if (!alive()) return;
  // What was set to run "at once" by the program itself is due by now.
  time = p.max(time + 1, clock());
  for (;;) {
    runTimers();
    runCompletions();
    runImmediates();
    if (!alive()) return;
    if (completions.length > 0 || immediates.length > 0) {
      if (outside.size > 0) collect(0);
      time = p.max(time, clock());
      continue;
    }
    const wait = heap.length > 0 ? heap[0].due - p.max(time, clock()) : -1;
    if (outside.size > 0 && (heap.length === 0 || wait > 0)) {
      if (collect(wait)) {
        time = p.max(time, clock());
        continue;
      }
    } else if (wait > 0) host('sleep', { ms: wait });
    time = p.max(heap[0].due, clock());
  }
}

// reset drops what an earlier call left waiting.
function reset() {
  while (heap.length > 0) {
    const state = heap[0];
    unschedule(state);
    retire(state);
  }
  for (let i = 0; i < immediates.length; i++) clearImmediate(immediates[i]);
  immediates = [];
  while (ticks.length > 0) ticks.shift();
  while (completions.length > 0) completions.shift();
  order.length = 0;
}

module.exports = {
  reset,
  alive, setTimeout, setInterval, setImmediate, clearTimeout, clearInterval: clearTimeout, clearImmediate, queueMicrotask, nextTick, complete, expect,
  guard, drain, run, hooks, Timeout, Immediate,
};
});
