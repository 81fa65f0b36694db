// The global scope of a program. What is seldom used is made on first use.
__define('internal/globals', (module, exports, require) => {
'use strict';
const p = require('internal/primordials');
const loop = require('internal/loop');
const { console } = require('internal/console');
const library = require('internal/library');
const { coded } = require('internal/errors');
const tools = require('internal/tools');

function set(name, value) {
  p.define(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}

function lazy(name, make, object = globalThis) {
  p.define(object, name, {
    configurable: true,
    enumerable: false,
    get() {
      const value = make();
      set(name, value);
      return value;
    },
    set(value) {
      set(name, value);
    },
  });
}

set('global', globalThis);
set('console', console);
for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate', 'queueMicrotask']) {
  set(name, loop[name]);
}
// util.promisify(setTimeout) is timers/promises' own.
for (const name of ['setTimeout', 'setImmediate']) {
  p.define(loop[name], Symbol.for('nodejs.util.promisify.custom'), { get: () => require('timers').promises[name], configurable: true });
}
set('process', require('process'));
lazy('Buffer', () => require('buffer').Buffer);
for (const name of ['atob', 'btoa', 'Blob', 'File']) lazy(name, () => require('buffer')[name]);
for (const name of ['URL', 'URLSearchParams']) lazy(name, () => require('url')[name]);
for (const name of ['TextEncoder', 'TextDecoder']) lazy(name, () => require('internal/text')[name]);
for (const name of ['Event', 'EventTarget', 'CustomEvent', 'AbortController', 'AbortSignal', 'MessageChannel', 'MessagePort', 'MessageEvent',
  'BroadcastChannel']) {
  lazy(name, () => require('internal/web')[name]);
}
lazy('structuredClone', () => require('internal/clone').structuredClone);
lazy('crypto', () => require('crypto').webcrypto);
lazy('performance', () => require('perf_hooks').performance);
lazy('Intl', () => require('internal/intl').Intl);
for (const name of ['fetch', 'Request', 'Response', 'Headers', 'FormData', 'WebSocket', 'XMLHttpRequest']) {
  lazy(name, () => require('internal/network')[name]);
}
for (const name of ['ReadableStream', 'WritableStream', 'TransformStream']) lazy(name, () => require('internal/webstreams')[name]);
for (const name of ['display', 'artifact']) lazy(name, () => require('internal/display')[name]);
lazy('navigator', () => ({ hardwareConcurrency: 1, language: 'en-US', languages: ['en-US'], platform: 'linux', userAgent: 'Node.js/22' }));
for (const name of ['readText', 'writeText', 'appendText', 'readJson', 'writeJson', 'readLines', 'writeLines', 'fileExists', 'fileSize',
  'listFiles', 'copyFile', 'removeFile']) {
  lazy(name, () => require('sandbox-utils')[name]);
}
// What the name promises: the modules that Node does not have.
const vendored = ['csv-simple', 'json-utils', 'sandbox-utils', 'string-utils'];
set('requireVendor', function requireVendor(name) {
  if (vendored.includes(name)) return library.require(name);
  throw coded(Error, 'MODULE_NOT_FOUND', `requireVendor: there is no ${JSON.stringify(name)}; there are ${vendored.join(', ')}`);
});

// The methods that depend on the language of the user.
const intl = (name) => require('internal/intl')[name];
function method(object, name, body) {
  p.define(object, name, { value: body, writable: true, configurable: true, enumerable: false });
}
method(Number.prototype, 'toLocaleString', function toLocaleString(locales, options) {
  return intl('formatNumber')(Number.prototype.valueOf.call(this), locales, options);
});
method(BigInt.prototype, 'toLocaleString', function toLocaleString(locales, options) {
  return intl('formatNumber')(BigInt.prototype.valueOf.call(this), locales, options);
});
method(Date.prototype, 'toLocaleString', function toLocaleString(locales, options) {
  return intl('formatDate')(this, locales, options, 'any', 'all');
});
method(Date.prototype, 'toLocaleDateString', function toLocaleDateString(locales, options) {
  return intl('formatDate')(this, locales, options, 'date', 'date');
});
method(Date.prototype, 'toLocaleTimeString', function toLocaleTimeString(locales, options) {
  return intl('formatDate')(this, locales, options, 'time', 'time');
});
method(String.prototype, 'localeCompare', function localeCompare(that, locales, options) {
  return intl('compare')(`${this}`, `${that}`, options);
});
const { toLowerCase, toUpperCase } = String.prototype;
method(String.prototype, 'toLocaleLowerCase', function toLocaleLowerCase() {
  return toLowerCase.call(this);
});
method(String.prototype, 'toLocaleUpperCase', function toLocaleUpperCase() {
  return toUpperCase.call(this);
});

// V8 names the zone in a date's text.
const dateText = Date.prototype.toString;
const timeText = Date.prototype.toTimeString;
const zoned = (text) => (p.endsWith(text, 'GMT+0000') ? `${text} (Coordinated Universal Time)` : text);
method(Date.prototype, 'toString', function toString() {
  return zoned(dateText.call(this));
});
method(Date.prototype, 'toTimeString', function toTimeString() {
  return zoned(timeText.call(this));
});
method(Date.prototype, Symbol.toPrimitive, function toPrimitive(hint) {
  if (hint === 'number') return this.valueOf();
  return this.toString();
});
p.define(Date.prototype, Symbol.toPrimitive, { writable: false });

// JSON.parse complains as V8 does.
const parse = JSON.parse;
method(JSON, 'parse', function parseJSON(text, reviver) {
  try {
    return parse(text, reviver);
  } catch (e) {
    if (e instanceof SyntaxError) require('internal/json').explain(e, p.stringOf(text));
    throw e;
  }
});
p.define(JSON.parse, 'name', { value: 'parse' });

// modules has the modules as globals, as node -e has them. It comes to stand behind
// the global object where they are wanted, which takes no time.
const modules = Object.create(Object.getPrototypeOf(globalThis));
for (const name of library.names()) {
  if (/^[a-z_0-9]+$/.test(name) && !(name in globalThis)) lazy(name, () => library.require(name), modules);
}
const { setPrototypeOf } = Object;

// begin finishes the global scope for a call: for a program without a file, and for
// one with tools.
function begin({ filename, tools: offered }) {
  if (offered !== undefined) set('tools', tools.offer(offered));
  if (filename === '') setPrototypeOf(globalThis, modules);
}

module.exports = { begin };
});
