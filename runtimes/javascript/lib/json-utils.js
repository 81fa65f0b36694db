// json-utils: values such as JSON holds, by path. A path is text, "users[0].name" or
// "users.0.name", or an array of keys.
__define('json-utils', (module, exports, require) => {
'use strict';

function keysOf(path) {
  if (Array.isArray(path)) return path.map(String);
  const keys = [];
  const part = /\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)|\.(?=[^.[])/gy;
  path = `${path}`;
  while (part.lastIndex < path.length) {
    const at = part.lastIndex;
    const m = part.exec(path);
    if (m === null) throw new TypeError(`json-utils: ${JSON.stringify(path)} is no path: look at character ${at + 1}`);
    if (m[2] !== undefined) keys.push(JSON.parse(`"${m[2]}"`));
    else if (m[1] !== undefined || m[3] !== undefined) keys.push(m[1] ?? m[3]);
  }
  return keys;
}

const own = (value, key) => value !== null && typeof value === 'object' && Object.hasOwn(value, key);

// has says whether there is a value at a path.
function has(value, path) {
  for (const key of keysOf(path)) {
    if (!own(value, key)) return false;
    value = value[key];
  }
  return true;
}

// get returns the value at a path, or what stands for it if there is none.
function get(value, path, otherwise) {
  for (const key of keysOf(path)) {
    if (!own(value, key)) return otherwise;
    value = value[key];
  }
  return value;
}

// put sets an own property, "__proto__" among them.
function put(object, key, value) {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

// set puts a value at a path and returns the object. What is missing on the way is
// made: arrays where the next key is a number, else objects.
function set(object, path, value) {
  const keys = keysOf(path);
  if (keys.length === 0) throw new TypeError('json-utils: an empty path names nothing to set');
  let at = object;
  keys.forEach((key, i) => {
    if (at === null || typeof at !== 'object') {
      throw new TypeError(`json-utils: ${JSON.stringify(keys.slice(0, i))} is ${JSON.stringify(at)}, which has no ${JSON.stringify(key)}`);
    }
    if (i === keys.length - 1) put(at, key, value);
    else if (!own(at, key) || at[key] === null || at[key] === undefined) put(at, key, /^\d+$/.test(keys[i + 1]) ? [] : {});
    at = at[key];
  });
  return object;
}

// clone copies a value with all that is in it.
function clone(value) {
  return structuredClone(value);
}

const plain = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

// merge returns a new object of all: objects are merged, and of anything else the
// last one counts.
function merge(...objects) {
  const merged = {};
  for (const object of objects) {
    if (object === null || object === undefined) continue;
    if (!plain(object)) throw new TypeError(`json-utils: merge takes objects, and not ${JSON.stringify(object)}`);
    for (const key of Object.keys(object)) {
      const value = object[key];
      put(merged, key, plain(value) ? merge(own(merged, key) && plain(merged[key]) ? merged[key] : {}, value) : clone(value));
    }
  }
  return merged;
}

const types = {
  __proto__: null,
  object: plain,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  integer: Number.isInteger,
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
};

// validate compares a value with a schema and returns {valid, errors}, a sentence
// for each. Of JSON Schema it knows type, enum, const, properties, required,
// additionalProperties, items, minItems, maxItems, minLength, maxLength, pattern,
// minimum and maximum; any other word is an error of the schema.
function validate(value, schema) {
  const errors = [];
  check(value, schema, '$', errors);
  return { valid: errors.length === 0, errors };
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

const words = {
  __proto__: null,
  type(value, type, say) {
    const allowed = [type].flat();
    for (const name of allowed) if (types[name] === undefined) throw new TypeError(`json-utils: there is no type ${JSON.stringify(name)}`);
    if (!allowed.some((name) => types[name](value))) say(`is not ${allowed.join(' or ')}`);
  },
  enum(value, list, say) { if (!list.some((item) => same(item, value))) say(`is none of ${JSON.stringify(list)}`); },
  const(value, wanted, say) { if (!same(value, wanted)) say(`is not ${JSON.stringify(wanted)}`); },
  required(value, names, say) {
    if (plain(value)) for (const name of names) if (!own(value, name)) say(`lacks ${JSON.stringify(name)}`);
  },
  properties(value, schemas, say, path, errors) {
    if (plain(value)) for (const name of Object.keys(schemas)) if (own(value, name)) check(value[name], schemas[name], `${path}.${name}`, errors);
  },
  additionalProperties(value, allowed, say, path, errors, schema) {
    if (!plain(value) || allowed === true) return;
    for (const name of Object.keys(value)) {
      if (own(schema.properties ?? {}, name)) continue;
      if (allowed === false) say(`has ${JSON.stringify(name)}, which is not known`);
      else check(value[name], allowed, `${path}.${name}`, errors);
    }
  },
  items(value, item, say, path, errors) { if (Array.isArray(value)) value.forEach((one, i) => check(one, item, `${path}[${i}]`, errors)); },
  minItems(value, n, say) { if (Array.isArray(value) && value.length < n) say(`has fewer than ${n} items`); },
  maxItems(value, n, say) { if (Array.isArray(value) && value.length > n) say(`has more than ${n} items`); },
  minLength(value, n, say) { if (typeof value === 'string' && value.length < n) say(`is shorter than ${n}`); },
  maxLength(value, n, say) { if (typeof value === 'string' && value.length > n) say(`is longer than ${n}`); },
  pattern(value, source, say) { if (typeof value === 'string' && !new RegExp(source, 'u').test(value)) say(`does not match ${source}`); },
  minimum(value, n, say) { if (typeof value === 'number' && value < n) say(`is less than ${n}`); },
  maximum(value, n, say) { if (typeof value === 'number' && value > n) say(`is more than ${n}`); },
};
const silent = ['title', 'description', 'default', 'examples', '$schema', '$id', '$comment'];

function check(value, schema, path, errors) {
  for (const word of Object.keys(schema)) {
    if (silent.includes(word)) continue;
    if (words[word] === undefined) throw new TypeError(`json-utils: a schema cannot have ${JSON.stringify(word)} here`);
    words[word](value, schema[word], (text) => errors.push(`${path} ${text}`), path, errors, schema);
  }
}

module.exports = { get, set, has, validate, clone, merge };
});
