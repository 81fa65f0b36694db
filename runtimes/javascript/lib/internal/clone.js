// structuredClone.
__define('internal/clone', (module, exports, require) => {
'use strict';
const types = require('internal/types');
const { isError } = types.internal;

const errors = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

function refuse(text) {
  throw new DOMException(`${text} could not be cloned.`, 'DataCloneError');
}

function structuredClone(value, options) {
  if (arguments.length === 0) throw new TypeError('The "value" argument must be specified');
  const known = new Map();
  for (const item of options?.transfer ?? []) {
    if (!types.isArrayBuffer(item)) refuse(describe(item));
    known.set(item, item.transfer());
  }
  return copy(value, known);
}

function describe(value) {
  if (typeof value === 'function') return `${value}`;
  if (typeof value === 'symbol') return `${String(value)}`;
  return `#<${value.constructor?.name ?? 'Object'}>`;
}

function copy(value, known) {
  if (typeof value === 'symbol' || typeof value === 'function') refuse(describe(value));
  if (value === null || typeof value !== 'object') return value;
  if (known.has(value)) return known.get(value);
  const keep = (made) => {
    known.set(value, made);
    return made;
  };
  if (Array.isArray(value)) {
    const made = keep(new Array(value.length));
    for (const key of Object.keys(value)) made[key] = copy(value[key], known);
    return made;
  }
  if (types.isDate(value)) return keep(new Date(Date.prototype.getTime.call(value)));
  if (types.isRegExp(value)) return keep(new RegExp(value.source, value.flags));
  if (types.isBoxedPrimitive(value)) {
    if (types.isSymbolObject(value)) refuse('#<Symbol>');
    return keep(Object(value.valueOf()));
  }
  if (types.isMap(value)) {
    const made = keep(new Map());
    for (const [k, v] of [...value]) made.set(copy(k, known), copy(v, known));
    return made;
  }
  if (types.isSet(value)) {
    const made = keep(new Set());
    for (const v of [...value]) made.add(copy(v, known));
    return made;
  }
  if (types.isAnyArrayBuffer(value)) return keep(value.slice(0));
  if (ArrayBuffer.isView(value)) {
    const buffer = copy(value.buffer, known);
    if (types.isDataView(value)) return keep(new DataView(buffer, value.byteOffset, value.byteLength));
    const Class = globalThis[types.internal.typedArrayName(value)];
    return keep(new Class(buffer, value.byteOffset, value.length));
  }
  if (isError(value)) {
    const error = keep(new (errors[value.name] ?? Error)(value.message));
    error.stack = value.stack;
    if ('cause' in value) Object.defineProperty(error, 'cause', { value: copy(value.cause, known), writable: true, configurable: true });
    return error;
  }
  if (types.isPromise(value) || types.isWeakMap(value) || types.isWeakSet(value) || types.internal.isWeakRef(value) || types.isGeneratorObject(value)) {
    refuse(describe(value));
  }
  const made = keep({});
  for (const key of Object.keys(value)) made[key] = copy(value[key], known);
  return made;
}

module.exports = { structuredClone };
});
