__define('perf_hooks', (module, exports, require) => {
'use strict';
const { host, toBigInt, toNumber } = require('internal/primordials');
const { origin } = require('internal/process');
const { coded } = require('internal/errors');

const sinceStart = () => toNumber(toBigInt(host('now').ns) - origin.ns) / 1e6;
let entries = [];
const observers = new Set();

class PerformanceEntry {
  constructor(name, entryType, startTime, duration, detail) {
    this.name = name;
    this.entryType = entryType;
    this.startTime = startTime;
    this.duration = duration;
    this.detail = detail ?? null;
  }

  toJSON() {
    return { ...this };
  }
}
class PerformanceMark extends PerformanceEntry {}
class PerformanceMeasure extends PerformanceEntry {}

function record(entry) {
  entries.push(entry);
  for (const observer of observers) observer.take(entry);
  return entry;
}

function timeOf(mark) {
  if (typeof mark === 'number') return mark;
  const found = entries.findLast((entry) => entry.entryType === 'mark' && entry.name === mark);
  if (found === undefined) throw new DOMException(`The "${mark}" performance mark has not been set`, 'SyntaxError');
  return found.startTime;
}

const performance = {
  now: sinceStart,
  get timeOrigin() {
    return Date.now() - sinceStart();
  },
  mark: (name, { startTime, detail } = {}) => record(new PerformanceMark(`${name}`, 'mark', startTime ?? sinceStart(), 0, detail)),
  measure(name, start, end) {
    const options = start !== null && typeof start === 'object' ? start : { start, end };
    const from = options.start === undefined ? 0 : timeOf(options.start);
    const to = options.end === undefined ? (options.duration === undefined ? sinceStart() : from + options.duration) : timeOf(options.end);
    return record(new PerformanceMeasure(`${name}`, 'measure', from, to - from, options.detail));
  },
  clearMarks: (name) => {
    entries = entries.filter((entry) => entry.entryType !== 'mark' || (name !== undefined && entry.name !== name));
  },
  clearMeasures: (name) => {
    entries = entries.filter((entry) => entry.entryType !== 'measure' || (name !== undefined && entry.name !== name));
  },
  getEntries: () => [...entries],
  getEntriesByName: (name, type) => entries.filter((entry) => entry.name === name && (type === undefined || entry.entryType === type)),
  getEntriesByType: (type) => entries.filter((entry) => entry.entryType === type),
  timerify: (fn) => fn,
  eventLoopUtilization: () => ({ idle: 0, active: 0, utilization: 0 }),
  toJSON: () => ({ timeOrigin: performance.timeOrigin }),
};
Object.defineProperty(performance, Symbol.toStringTag, { value: 'Performance', configurable: true });

class PerformanceObserver {
  #callback;
  #types = [];

  constructor(callback) {
    this.#callback = callback;
  }

  observe({ entryTypes, type }) {
    this.#types = entryTypes ?? [type];
    observers.add(this);
  }

  take(entry) {
    if (!this.#types.includes(entry.entryType)) return;
    const list = { getEntries: () => [entry], getEntriesByName: () => [entry], getEntriesByType: () => [entry] };
    require('internal/loop').setImmediate(() => this.#callback(list, this));
  }

  disconnect() {
    observers.delete(this);
  }
}

module.exports = {
  performance, PerformanceEntry, PerformanceMark, PerformanceMeasure, PerformanceObserver,
  constants: {},
  createHistogram() {
    throw coded(Error, 'ERR_SANDBOX_UNAVAILABLE', 'histograms are not available in a sandbox: collect the values in an array');
  },
  monitorEventLoopDelay() {
    throw coded(Error, 'ERR_SANDBOX_UNAVAILABLE', 'the delay of the event loop cannot be measured in a sandbox');
  },
};
});
