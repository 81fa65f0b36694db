// What the library needs of the language, taken before any program can change
// it: a program that replaces Array.prototype.map or JSON must still get its
// output formatted, its errors reported and its exit code.
__define('internal/primordials', (module) => {
'use strict';
const { bind, call } = Function.prototype;
const uncurry = bind.bind(call);

module.exports = {
  __proto__: null,
  host: globalThis.__host,
  uncurry,
  apply: Reflect.apply,
  ownKeys: Reflect.ownKeys,
  construct: Reflect.construct,
  keys: Object.keys,
  create: Object.create,
  assign: Object.assign,
  freeze: Object.freeze,
  define: Object.defineProperty,
  names: Object.getOwnPropertyNames,
  symbols: Object.getOwnPropertySymbols,
  descriptor: Object.getOwnPropertyDescriptor,
  prototypeOf: Object.getPrototypeOf,
  setPrototypeOf: Object.setPrototypeOf,
  isArray: Array.isArray,
  isView: ArrayBuffer.isView,
  hasOwn: Object.hasOwn,
  is: Object.is,
  enumerable: uncurry(Object.prototype.propertyIsEnumerable),
  slice: uncurry(String.prototype.slice),
  indexOf: uncurry(String.prototype.indexOf),
  lastIndexOf: uncurry(String.prototype.lastIndexOf),
  includes: uncurry(String.prototype.includes),
  startsWith: uncurry(String.prototype.startsWith),
  endsWith: uncurry(String.prototype.endsWith),
  charCodeAt: uncurry(String.prototype.charCodeAt),
  codePointAt: uncurry(String.prototype.codePointAt),
  padStart: uncurry(String.prototype.padStart),
  padEnd: uncurry(String.prototype.padEnd),
  repeat: uncurry(String.prototype.repeat),
  split: uncurry(String.prototype.split),
  replace: uncurry(String.prototype.replace),
  trim: uncurry(String.prototype.trim),
  lower: uncurry(String.prototype.toLowerCase),
  upper: uncurry(String.prototype.toUpperCase),
  exec: uncurry(RegExp.prototype.exec),
  test: uncurry(RegExp.prototype.test),
  regExpText: uncurry(RegExp.prototype.toString),
  symbolText: uncurry(Symbol.prototype.toString),
  functionText: uncurry(Function.prototype.toString),
  errorText: uncurry(Error.prototype.toString),
  dateText: uncurry(Date.prototype.toString),
  dateISO: uncurry(Date.prototype.toISOString),
  dateTime: uncurry(Date.prototype.getTime),
  numberText: uncurry(Number.prototype.toString),
  then: uncurry(Promise.prototype.then),
  mapSize: uncurry(Object.getOwnPropertyDescriptor(Map.prototype, 'size').get),
  setSize: uncurry(Object.getOwnPropertyDescriptor(Set.prototype, 'size').get),
  mapForEach: uncurry(Map.prototype.forEach),
  setForEach: uncurry(Set.prototype.forEach),
  stringOf: String,
  floor: Math.floor,
  min: Math.min,
  max: Math.max,
  round: Math.round,
  sqrt: Math.sqrt,
  trunc: Math.trunc,
  now: Date.now,
  stringify: JSON.stringify,
  parseJSON: JSON.parse,
  fromCharCode: String.fromCharCode,
  toNumber: Number,
  toBigInt: BigInt,
  parseInteger: parseInt,
  parseDecimal: parseFloat,
  Promise,
  Map,
  Set,
  WeakMap,
  Error,
  TypeError,
  RangeError,
  Proxy,
  Date,
  Uint8Array,
  SafeMap: safe(Map, ['get', 'set', 'has', 'delete']),
  join,
};

// safe returns a copy of a collection's class whose methods a program cannot
// reach: the originals, set on a prototype of its own.
function safe(base, methods) {
  class Safe extends base {}
  for (const name of methods) Object.defineProperty(Safe.prototype, name, { value: base.prototype[name] });
  Object.defineProperty(Safe.prototype, 'size', Object.getOwnPropertyDescriptor(base.prototype, 'size'));
  Object.setPrototypeOf(Safe.prototype, null);
  return Safe;
}

// join is Array.prototype.join for the library's own lists of strings.
function join(list, separator) {
  let text = '';
  for (let i = 0; i < list.length; i++) text += i === 0 ? list[i] : separator + list[i];
  return text;
}
});
