// Deep equality, as assert.deepEqual (loose) and deepStrictEqual (strict) see it.
__define('internal/equal', (module, exports, require) => {
'use strict';
const types = require('internal/types');
const { isError } = types.internal;

const enumerable = Object.prototype.propertyIsEnumerable;

function deepEqual(a, b, strict, seen = []) {
  if (a === b) return a !== 0 || !strict || Object.is(a, b);
  if (strict) {
    if (typeof a !== 'object' || typeof b !== 'object') return typeof a === 'number' && a !== a && b !== b;
    if (a === null || b === null) return false;
    if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  } else {
    if (a === null || typeof a !== 'object') {
      return (b === null || typeof b !== 'object') && (a == b || (a !== a && b !== b));
    }
    if (b === null || typeof b !== 'object') return false;
  }
  if (Object.prototype.toString.call(a) !== Object.prototype.toString.call(b)) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
  } else if (Array.isArray(b)) {
    return false;
  } else if (types.isDate(a)) {
    if (!types.isDate(b) || (Date.prototype.getTime.call(a) !== Date.prototype.getTime.call(b) && !(Number.isNaN(+a) && Number.isNaN(+b)))) return false;
  } else if (types.isRegExp(a)) {
    if (!types.isRegExp(b) || a.source !== b.source || a.flags !== b.flags || a.lastIndex !== b.lastIndex) return false;
  } else if (isError(a)) {
    if (!isError(b) || a.message !== b.message || a.name !== b.name) return false;
    if (('cause' in a) !== ('cause' in b) || !deepEqual(a.cause, b.cause, strict, seen)) return false;
    if (!deepEqual(a.errors, b.errors, strict, seen)) return false;
  } else if (ArrayBuffer.isView(a)) {
    if (!ArrayBuffer.isView(b) || a.byteLength !== b.byteLength) return false;
    if (!types.isDataView(a) && !strict && (types.isFloat32Array(a) || types.isFloat64Array(a))) {
      for (let i = 0; i < a.length; i++) if (a[i] !== b[i] && !(a[i] !== a[i] && b[i] !== b[i])) return false;
    } else if (!sameBytes(a, b)) return false;
  } else if (types.isAnyArrayBuffer(a)) {
    if (!types.isAnyArrayBuffer(b) || !sameBytes(new Uint8Array(a), new Uint8Array(b))) return false;
  } else if (types.isBoxedPrimitive(a)) {
    if (!types.isBoxedPrimitive(b) || !Object.is(a.valueOf(), b.valueOf())) return false;
  } else if (types.isSet(a)) {
    if (!types.isSet(b) || a.size !== b.size) return false;
  } else if (types.isMap(a)) {
    if (!types.isMap(b) || a.size !== b.size) return false;
  } else if (types.isWeakMap(a) || types.isWeakSet(a) || types.isPromise(a)) {
    return false;
  }
  for (const [x, y] of seen) if (x === a && y === b) return true;
  seen.push([a, b]);
  const same = sameProperties(a, b, strict, seen) && sameItems(a, b, strict, seen);
  seen.pop();
  return same;
}

function sameBytes(a, b) {
  const x = new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
  const y = new Uint8Array(b.buffer, b.byteOffset, b.byteLength);
  if (x.length !== y.length) return false;
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
  return true;
}

function sameProperties(a, b, strict, seen) {
  if (ArrayBuffer.isView(a)) return true;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  for (const key of keys) if (!enumerable.call(b, key)) return false;
  if (strict) {
    const symbols = Object.getOwnPropertySymbols(a).filter((key) => enumerable.call(a, key));
    if (symbols.length !== Object.getOwnPropertySymbols(b).filter((key) => enumerable.call(b, key)).length) return false;
    for (const key of symbols) if (!enumerable.call(b, key) || !deepEqual(a[key], b[key], strict, seen)) return false;
  }
  for (const key of keys) if (!deepEqual(a[key], b[key], strict, seen)) return false;
  return true;
}

function sameItems(a, b, strict, seen) {
  if (types.isSet(a)) {
    const left = [...b].filter((item) => !a.has(item));
    for (const item of a) {
      if (b.has(item)) continue;
      if (strict && (item === null || typeof item !== 'object')) return false;
      const at = left.findIndex((other) => deepEqual(item, other, strict, seen));
      if (at < 0) return false;
      left.splice(at, 1);
    }
  } else if (types.isMap(a)) {
    const left = [...b.keys()].filter((key) => !a.has(key));
    for (const [key, value] of a) {
      if (b.has(key)) {
        if (!deepEqual(value, b.get(key), strict, seen)) return false;
        continue;
      }
      if (strict && (key === null || typeof key !== 'object')) return false;
      const at = left.findIndex((other) => deepEqual(key, other, strict, seen) && deepEqual(value, b.get(other), strict, seen));
      if (at < 0) return false;
      left.splice(at, 1);
    }
  }
  return true;
}

module.exports = { deepEqual };
});
