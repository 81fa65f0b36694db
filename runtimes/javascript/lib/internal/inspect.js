// util.inspect and util.format: values as text, the way Node prints them.
__define('internal/inspect', (module, exports, require) => {
'use strict';
const p = require('internal/primordials');
const types = require('internal/types');
const { join, slice, includes, test, exec, min, max } = p;
const { proxyOf, typedArrayName, isError } = types.internal;

const custom = Symbol.for('nodejs.util.inspect.custom');

// What an entry of a list of output is.
const objectEntry = 0;
const arrayEntry = 1;
const extraEntry = 2;

const defaults = {
  showHidden: false, depth: 2, colors: false, customInspect: true, showProxy: false, maxArrayLength: 100, maxStringLength: 10000,
  breakLength: 80, compact: 3, sorted: false, getters: false, numericSeparator: false,
};

// noOptions are the options of console.log.
const noOptions = {};

const colors = {
  __proto__: null, reset: [0, 0], bold: [1, 22], dim: [2, 22], italic: [3, 23], underline: [4, 24], blink: [5, 25], inverse: [7, 27],
  hidden: [8, 28], strikethrough: [9, 29], doubleunderline: [21, 24], black: [30, 39], red: [31, 39], green: [32, 39], yellow: [33, 39],
  blue: [34, 39], magenta: [35, 39], cyan: [36, 39], white: [37, 39], bgBlack: [40, 49], bgRed: [41, 49], bgGreen: [42, 49],
  bgYellow: [43, 49], bgBlue: [44, 49], bgMagenta: [45, 49], bgCyan: [46, 49], bgWhite: [47, 49], framed: [51, 54], overlined: [53, 55],
  gray: [90, 39], grey: [90, 39], redBright: [91, 39], greenBright: [92, 39], yellowBright: [93, 39], blueBright: [94, 39],
  magentaBright: [95, 39], cyanBright: [96, 39], whiteBright: [97, 39], bgGray: [100, 49], bgGrey: [100, 49], bgRedBright: [101, 49],
  bgGreenBright: [102, 49], bgYellowBright: [103, 49], bgBlueBright: [104, 49], bgMagentaBright: [105, 49], bgCyanBright: [106, 49],
  bgWhiteBright: [107, 49],
};

const styles = {
  __proto__: null, special: 'cyan', number: 'yellow', bigint: 'yellow', boolean: 'yellow', undefined: 'grey', null: 'bold',
  string: 'green', symbol: 'green', date: 'magenta', regexp: 'red', module: 'underline',
};

const plain = (text) => text;
function colored(text, style) {
  const name = styles[style];
  if (name === undefined) return text;
  const [on, off] = colors[name];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}

const escapes = /[\u001B\u009B][[()#;?]*(?:[0-9]{1,4}(?:;[0-9]{0,4})*)?[0-9A-ORZcf-nqry=><~]/g;
const stripped = (text) => p.replace(text, escapes, '');

function inspect(value, options) {
  const ctx = newContext();
  if (arguments.length > 1 && options !== noOptions) {
    if (arguments.length > 2) {
      if (arguments[2] !== undefined) ctx.depth = arguments[2];
      if (arguments.length > 3 && arguments[3] !== undefined) ctx.colors = arguments[3];
    }
    if (typeof options === 'boolean') {
      ctx.showHidden = options;
    } else if (options) {
      const given = p.keys(options);
      for (let i = 0; i < given.length; i++) {
        if (p.hasOwn(defaults, given[i]) || given[i] === 'stylize') ctx[given[i]] = options[given[i]];
        else if (ctx.userOptions === undefined) ctx.userOptions = options;
      }
    }
  }
  if (ctx.colors) ctx.stylize = colored;
  if (ctx.maxArrayLength === null) ctx.maxArrayLength = Infinity;
  if (ctx.maxStringLength === null) ctx.maxStringLength = Infinity;
  return formatValue(ctx, value, 0);
}

// newContext is what one inspection knows: its options, by default those of
// defaults, and where it is.
function newContext() {
  return { __proto__: defaults, seen: [], indentation: 0, currentDepth: 0, circular: undefined, stylize: plain, userOptions: undefined };
}

function formatValue(ctx, value, depth, inTyped) {
  if (typeof value !== 'object' && typeof value !== 'function') return formatPrimitive(ctx.stylize, value, ctx);
  if (value === null) return ctx.stylize('null', 'null');
  const original = value;
  const proxy = proxyOf(value);
  if (proxy !== undefined) {
    if (proxy === null) return ctx.stylize('<Revoked Proxy>', 'special');
    if (ctx.showProxy) return formatProxy(ctx, proxy, depth);
    value = proxy[0];
    for (let next = proxyOf(value); next; next = proxyOf(value)) value = next[0];
  }
  if (ctx.customInspect) {
    const own = value[custom];
    if (typeof own === 'function' && own !== inspect && value.constructor?.prototype !== value) {
      const left = ctx.depth === null ? null : ctx.depth - depth;
      const shown = p.apply(own, original, [left, optionsOf(ctx), inspect]);
      if (shown !== original) {
        if (typeof shown !== 'object') return p.stringOf(shown);
        return p.replace(formatValue(ctx, shown, depth), /\n/g, `\n${p.repeat(' ', ctx.indentation)}`);
      }
    }
  }
  for (let i = 0; i < ctx.seen.length; i++) {
    if (ctx.seen[i] !== value) continue;
    let index = 1;
    if (ctx.circular === undefined) {
      ctx.circular = new p.SafeMap();
      ctx.circular.set(value, index);
    } else {
      index = ctx.circular.get(value);
      if (index === undefined) {
        index = ctx.circular.size + 1;
        ctx.circular.set(value, index);
      }
    }
    return ctx.stylize(`[Circular *${index}]`, 'special');
  }
  return formatRaw(ctx, value, depth, inTyped);
}

function optionsOf(ctx) {
  const options = { stylize: ctx.stylize };
  const all = p.keys(defaults);
  for (let i = 0; i < all.length; i++) options[all[i]] = ctx[all[i]];
  return ctx.userOptions === undefined ? options : p.assign(options, ctx.userOptions);
}

function formatProxy(ctx, proxy, depth) {
  if (depth > ctx.depth && ctx.depth !== null) return ctx.stylize('Proxy [Array]', 'special');
  depth++;
  ctx.indentation += 2;
  const output = [formatValue(ctx, proxy[0], depth), formatValue(ctx, proxy[1], depth)];
  ctx.indentation -= 2;
  return reduce(ctx, output, '', ['Proxy [', ']'], extraEntry, depth);
}

const objectProto = Object.prototype;
const arrayProto = Array.prototype;

// mayPose says whether a value whose prototype is Object's may yet be something
// else: arguments, or an object whose prototype was replaced.
function mayPose(value) {
  return objectText(value) !== '[object Object]';
}

const objectText = p.uncurry(objectProto.toString);

function formatRaw(ctx, value, depth, inTyped) {
  let hidden;
  if (ctx.showHidden && (depth <= ctx.depth || ctx.depth === null)) hidden = [];
  const proto = p.prototypeOf(value);
  const isArray = p.isArray(value);
  // Objects and arrays without anything special, which most are.
  const simple = (proto === objectProto || (isArray && proto === arrayProto)) && hidden === undefined
    && !p.hasOwn(value, 'constructor') && proto.constructor === (isArray ? Array : Object);
  const name = simple ? (isArray ? 'Array' : 'Object') : constructorName(value, ctx, depth, hidden);
  if (hidden !== undefined && hidden.length === 0) hidden = undefined;
  let tag = value[Symbol.toStringTag];
  if (typeof tag !== 'string' || (tag !== '' && (ctx.showHidden ? p.hasOwn : p.enumerable)(value, Symbol.toStringTag))) tag = '';
  let base = '';
  let braces;
  let keys;
  let formatter = noEntries;
  let kind = objectEntry;
  const bare = () => keys.length === 0 && hidden === undefined;

  if (simple && !isArray && tag === '' && !mayPose(value)) {
    keys = keysOf(value, ctx.showHidden);
    if (keys.length === 0) return '{}';
    braces = ['{', '}'];
  } else if (isArray) {
    const prefix = name !== 'Array' || tag !== '' ? prefixOf(name, tag, 'Array', `(${value.length})`) : '';
    keys = nonIndexKeys(value, ctx.showHidden);
    braces = [`${prefix}[`, ']'];
    if (value.length === 0 && bare()) return `${braces[0]}]`;
    kind = extraEntry;
    formatter = formatArray;
  } else if (types.isSet(value)) {
    const size = p.setSize(value);
    keys = keysOf(value, ctx.showHidden);
    const prefix = prefixOf(name, tag, 'Set', `(${size})`);
    if (size === 0 && bare()) return `${prefix}{}`;
    braces = [`${prefix}{`, '}'];
    formatter = formatSet;
  } else if (types.isMap(value)) {
    const size = p.mapSize(value);
    keys = keysOf(value, ctx.showHidden);
    const prefix = prefixOf(name, tag, 'Map', `(${size})`);
    if (size === 0 && bare()) return `${prefix}{}`;
    braces = [`${prefix}{`, '}'];
    formatter = formatMap;
  } else if (types.isTypedArray(value)) {
    keys = nonIndexKeys(value, ctx.showHidden);
    const fallback = name === null ? typedArrayName(value) : '';
    braces = [`${prefixOf(name, tag, fallback, `(${value.length})`)}[`, ']'];
    if (value.length === 0 && bare()) return `${braces[0]}]`;
    kind = extraEntry;
    formatter = formatTypedArray;
  } else if (types.isMapIterator(value) || types.isSetIterator(value)) {
    keys = keysOf(value, ctx.showHidden);
    braces = [`[${iteratorName(value, tag)}] {`, '}'];
    formatter = formatIterator;
  } else {
    keys = keysOf(value, ctx.showHidden);
    braces = ['{', '}'];
    if (typeof value === 'function') {
      base = functionBase(value, name, tag);
      if (bare()) return ctx.stylize(base, 'special');
    } else if (types.isArgumentsObject(value)) {
      braces[0] = '[Arguments] {';
      if (bare()) return `${braces[0]}}`;
    } else if (name === 'Object' && !isError(value)) {
      if (tag !== '') braces[0] = `${prefixOf(name, tag, 'Object')}{`;
      if (bare()) return `${braces[0]}}`;
    } else if (types.isRegExp(value)) {
      base = p.regExpText(name !== null ? value : new RegExp(value));
      const prefix = prefixOf(name, tag, 'RegExp');
      if (prefix !== 'RegExp ') base = `${prefix}${base}`;
      if (bare() || (depth > ctx.depth && ctx.depth !== null)) return ctx.stylize(base, 'regexp');
    } else if (types.isDate(value)) {
      const time = p.dateTime(value);
      base = time !== time ? p.dateText(value) : p.dateISO(value);
      const prefix = prefixOf(name, tag, 'Date');
      if (prefix !== 'Date ') base = `${prefix}${base}`;
      if (bare()) return ctx.stylize(base, 'date');
    } else if (isError(value)) {
      base = formatError(value, name, tag, ctx, keys);
      if (bare()) return base;
    } else if (types.isAnyArrayBuffer(value)) {
      const prefix = prefixOf(name, tag, types.isArrayBuffer(value) ? 'ArrayBuffer' : 'SharedArrayBuffer');
      if (inTyped === undefined) formatter = formatBuffer;
      else if (bare()) return `${prefix}{ byteLength: ${formatNumber(ctx.stylize, value.byteLength)} }`;
      braces[0] = `${prefix}{`;
      keys = ['byteLength', ...keys];
    } else if (types.isDataView(value)) {
      braces[0] = `${prefixOf(name, tag, 'DataView')}{`;
      keys = ['byteLength', 'byteOffset', 'buffer', ...keys];
    } else if (types.isPromise(value)) {
      braces[0] = `${prefixOf(name, tag, 'Promise')}{`;
      formatter = formatPromise;
    } else if (types.isWeakSet(value)) {
      braces[0] = `${prefixOf(name, tag, 'WeakSet')}{`;
      formatter = unknownItems;
    } else if (types.isWeakMap(value)) {
      braces[0] = `${prefixOf(name, tag, 'WeakMap')}{`;
      formatter = unknownItems;
    } else if (types.isModuleNamespaceObject(value)) {
      braces[0] = `${prefixOf(name, tag, 'Module')}{`;
      formatter = formatNamespace;
      keys = [];
    } else if (types.isBoxedPrimitive(value)) {
      base = boxedBase(value, ctx, keys, name, tag);
      if (types.isStringObject(value)) keys = keys.slice(value.length);
      if (bare()) return base;
    } else {
      if (bare()) return `${prefixOf(name, tag, 'Object')}{}`;
      braces[0] = `${prefixOf(name, tag, 'Object')}{`;
    }
  }

  if (depth > ctx.depth && ctx.depth !== null) {
    const shown = slice(prefixOf(name, tag, p.isArray(value) ? 'Array' : 'Object'), 0, -1);
    return ctx.stylize(name !== null ? `[${shown}]` : shown, 'special');
  }
  depth++;
  ctx.seen[ctx.seen.length] = value;
  ctx.currentDepth = depth;
  let output = formatter(ctx, value, depth);
  for (let i = 0; i < keys.length; i++) output[output.length] = formatProperty(ctx, value, depth, keys[i], kind);
  if (hidden !== undefined) for (let i = 0; i < hidden.length; i++) output[output.length] = hidden[i];
  if (ctx.circular !== undefined) {
    const index = ctx.circular.get(value);
    if (index !== undefined) {
      const reference = ctx.stylize(`<ref *${index}>`, 'special');
      if (ctx.compact !== true) base = base === '' ? reference : `${reference} ${base}`;
      else braces[0] = `${reference} ${braces[0]}`;
    }
  }
  ctx.seen.length--;
  if (ctx.sorted) {
    const order = ctx.sorted === true ? undefined : ctx.sorted;
    if (kind === objectEntry) output.sort(order);
    else if (keys.length > 1) output = [...output.slice(0, output.length - keys.length), ...output.slice(output.length - keys.length).sort(order)];
  }
  return reduce(ctx, output, base, braces, kind, depth, value);
}

const noEntries = () => [];
const unknownItems = (ctx) => [ctx.stylize('<items unknown>', 'special')];

function prefixOf(name, tag, fallback, size = '') {
  if (name === null) {
    if (tag !== '' && fallback !== tag) return `[${fallback}${size}: null prototype] [${tag}] `;
    return `[${fallback}${size}: null prototype] `;
  }
  if (tag !== '' && name !== tag) return `${name}${size} [${tag}] `;
  return `${name}${size} `;
}

function constructorName(value, ctx, depth, hidden) {
  let object = value;
  let first;
  while (object) {
    const own = p.descriptor(object, 'constructor');
    if (own !== undefined && typeof own.value === 'function' && own.value.name !== '' && instanceOf(value, own.value)) {
      if (hidden !== undefined && (first !== object || !builtins.has(own.value.name))) {
        protoProperties(ctx, value, first || object, depth, hidden);
      }
      return p.stringOf(own.value.name);
    }
    object = p.prototypeOf(object);
    if (first === undefined) first = object;
  }
  if (first === null) return null;
  const shape = typeof value === 'function' ? 'Function' : p.isArray(value) ? 'Array' : 'Object';
  if (depth > ctx.depth && ctx.depth !== null) return `${shape} <Complex prototype>`;
  const proto = constructorName(first, ctx, depth + 1, hidden);
  if (proto === null) return `${shape} <${inspect(first, { ...optionsOf(ctx), customInspect: false, depth: -1 })}>`;
  return `${shape} <${proto}>`;
}

const builtins = new p.SafeMap();
for (const name of Object.getOwnPropertyNames(globalThis)) if (/^[A-Z]/.test(name)) builtins.set(name, true);

function instanceOf(value, base) {
  try {
    return value instanceof base;
  } catch {
    return false;
  }
}

function protoProperties(ctx, main, object, depth, output) {
  let level = 0;
  const seen = new p.Set();
  do {
    if (level !== 0 || main === object) {
      object = p.prototypeOf(object);
      if (object === null) break;
      const own = p.descriptor(object, 'constructor');
      if (own !== undefined && typeof own.value === 'function' && builtins.has(own.value.name)) break;
    }
    const keys = p.ownKeys(object);
    ctx.seen[ctx.seen.length] = main;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      if (key === 'constructor' || p.hasOwn(main, key) || seen.has(key)) continue;
      seen.add(key);
      const own = p.descriptor(object, key);
      if (typeof own.value === 'function') continue;
      output[output.length] = formatProperty(ctx, object, depth, key, objectEntry, own, main);
    }
    ctx.seen.length--;
  } while (++level !== 3);
}

function keysOf(value, showHidden) {
  const symbols = p.symbols(value);
  if (showHidden) {
    const keys = p.names(value);
    for (let i = 0; i < symbols.length; i++) keys[keys.length] = symbols[i];
    return keys;
  }
  let keys;
  try {
    keys = p.keys(value);
  } catch {
    keys = p.names(value);
  }
  for (let i = 0; i < symbols.length; i++) if (p.enumerable(value, symbols[i])) keys[keys.length] = symbols[i];
  return keys;
}

function nonIndexKeys(value, showHidden) {
  const { length } = value;
  if (!showHidden && p.symbols(value).length === 0) {
    // The common case: nothing but elements, which come first and in order.
    const keys = p.keys(value);
    let first = keys.length;
    while (first > 0 && !isIndex(keys[first - 1], length)) first--;
    const rest = [];
    for (; first < keys.length; first++) rest[rest.length] = keys[first];
    return rest;
  }
  const keys = keysOf(value, showHidden);
  const rest = [];
  for (let i = 0; i < keys.length; i++) if (typeof keys[i] === 'symbol' || !isIndex(keys[i], length)) rest[rest.length] = keys[i];
  return rest;
}

function isIndex(key, length) {
  const c = p.charCodeAt(key, 0);
  return c >= 48 && c <= 57 && p.toNumber(key) < length && test(/^(0|[1-9][0-9]*)$/, key);
}

const comments = /(\/\/.*?\n)|(\/\*(.|\n)*?\*\/)/g;

function functionBase(value, name, tag) {
  const text = p.functionText(value);
  if (p.startsWith(text, 'class') && p.endsWith(text, '}')) {
    const body = slice(text, 5, -1);
    const brace = p.indexOf(body, '{');
    if (brace >= 0 && (!includes(slice(body, 0, brace), '(') || test(/^(\s+[^(]*?)\s*{/, p.replace(body, comments, '')))) {
      return classBase(value, name, tag);
    }
  }
  let type = 'Function';
  if (types.isGeneratorFunction(value)) type = `Generator${type}`;
  if (types.isAsyncFunction(value)) type = `Async${type}`;
  let base = `[${type}`;
  if (name === null) base += ' (null prototype)';
  base += value.name === '' ? ' (anonymous)' : `: ${typeof value.name === 'string' ? value.name : formatValue(newContext(), value.name, 0)}`;
  base += ']';
  if (name !== type && name !== null) base += ` ${name}`;
  if (tag !== '' && name !== tag) base += ` [${tag}]`;
  return base;
}

function classBase(value, name, tag) {
  let base = `class ${(p.hasOwn(value, 'name') && value.name) || '(anonymous)'}`;
  if (name !== 'Function' && name !== null) base += ` [${name}]`;
  if (tag !== '' && name !== tag) base += ` [${tag}]`;
  if (name !== null) {
    const parent = p.prototypeOf(value).name;
    if (parent) base += ` extends ${parent}`;
  } else {
    base += ' extends null';
  }
  return `[${base}]`;
}

function boxedBase(value, ctx, keys, name, tag) {
  let primitive;
  let type;
  if (types.isNumberObject(value)) [primitive, type] = [Number.prototype.valueOf.call(value), 'Number'];
  else if (types.isStringObject(value)) [primitive, type] = [String.prototype.valueOf.call(value), 'String'];
  else if (types.isBooleanObject(value)) [primitive, type] = [Boolean.prototype.valueOf.call(value), 'Boolean'];
  else if (types.isBigIntObject(value)) [primitive, type] = [BigInt.prototype.valueOf.call(value), 'BigInt'];
  else [primitive, type] = [Symbol.prototype.valueOf.call(value), 'Symbol'];
  let base = `[${type}`;
  if (type !== name) base += name === null ? ' (null prototype)' : ` (${name})`;
  base += `: ${formatPrimitive(plain, primitive, newContext())}]`;
  if (tag !== '' && tag !== name) base += ` [${tag}]`;
  if (keys.length !== 0 || ctx.stylize === plain) return base;
  return ctx.stylize(base, p.lower(type));
}

function stackOf(error) {
  try {
    return error.stack ? p.stringOf(error.stack) : p.errorText(error);
  } catch {
    return p.errorText(error);
  }
}

// indexIn and removeAt are indexOf and splice, for the library's own lists.
function indexIn(list, item) {
  for (let i = 0; i < list.length; i++) if (list[i] === item) return i;
  return -1;
}

function removeAt(list, at, count) {
  for (let i = at; i + count < list.length; i++) list[i] = list[i + count];
  list.length -= count;
}

function formatError(error, name, tag, ctx, keys) {
  const called = error.name != null ? p.stringOf(error.name) : 'Error';
  let stack = stackOf(error);
  if (!ctx.showHidden && keys.length !== 0) {
    for (const own of ['name', 'message', 'stack']) {
      const at = indexIn(keys, own);
      if (at !== -1 && (typeof error[own] !== 'string' || includes(stack, error[own]))) removeAt(keys, at, 1);
    }
  }
  if ('cause' in error && indexIn(keys, 'cause') === -1) keys[keys.length] = 'cause';
  if (p.isArray(error.errors) && indexIn(keys, 'errors') === -1) keys[keys.length] = 'errors';
  stack = improveStack(stack, name, called, tag);
  let at = (error.message && p.indexOf(stack, error.message)) || -1;
  if (at !== -1) at += error.message.length;
  const frames = p.indexOf(stack, '\n    at', at);
  if (frames === -1) {
    stack = `[${stack}]`;
  } else {
    stack = `${slice(stack, 0, frames)}\n${join(ownFrames(ctx, error, slice(stack, frames + 1)), '\n')}`;
  }
  if (ctx.indentation !== 0) stack = p.replace(stack, /\n/g, `\n${p.repeat(' ', ctx.indentation)}`);
  return stack;
}

// ownFrames leaves out the frames that an error shares with its cause.
function ownFrames(ctx, error, stack) {
  const frames = p.split(stack, '\n');
  if (!isError(error.cause)) return frames;
  const cause = stackOf(error.cause);
  const start = p.indexOf(cause, '\n    at');
  if (start === -1) return frames;
  const theirs = p.split(slice(cause, start + 1), '\n');
  for (let i = 0; i < frames.length - 3; i++) {
    const from = indexIn(theirs, frames[i]);
    if (from === -1) continue;
    let shared = 0;
    while (i + shared < frames.length && from + shared < theirs.length && frames[i + shared] === theirs[from + shared]) shared++;
    if (shared > 3) {
      frames[i + 1] = ctx.stylize(`    ... ${shared - 2} lines matching cause stack trace ...`, 'undefined');
      removeAt(frames, i + 2, shared - 3);
      break;
    }
  }
  return frames;
}

function improveStack(stack, constructor, name, tag) {
  let { length } = name;
  const named = p.endsWith(name, 'Error') && p.startsWith(stack, name)
    && (stack.length === length || stack[length] === ':' || stack[length] === '\n');
  if (constructor !== null && !named) return stack;
  let fallback = 'Error';
  if (constructor === null) {
    const start = exec(/^([A-Z][a-z_ A-Z0-9[\]()-]+)(?::|\n\s+at)/, stack) ?? exec(/^([a-z_A-Z0-9-]*Error)$/, stack);
    fallback = start?.[1] ?? '';
    length = fallback.length;
    fallback ||= 'Error';
  }
  const prefix = slice(prefixOf(constructor, tag, fallback), 0, -1);
  if (name === prefix) return stack;
  if (includes(prefix, name)) return length === 0 ? `${prefix}: ${stack}` : `${prefix}${slice(stack, length)}`;
  return `${prefix} [${name}]${slice(stack, length)}`;
}

const more = (n) => `... ${n} more item${n > 1 ? 's' : ''}`;

function formatArray(ctx, value, depth) {
  const count = min(max(0, ctx.maxArrayLength), value.length);
  const output = [];
  for (let i = 0; i < count; i++) {
    if (!p.hasOwn(value, i)) return formatSparse(ctx, value, depth, count, output, i);
    const own = p.descriptor(value, i).value;
    if (typeof own === 'number') output[i] = formatNumber(ctx.stylize, own, ctx.numericSeparator);
    else output[i] = formatProperty(ctx, value, depth, i, arrayEntry);
  }
  if (value.length > count) output[count] = more(value.length - count);
  return output;
}

function formatSparse(ctx, value, depth, count, output, i) {
  const keys = p.keys(value);
  let index = i;
  for (; i < keys.length && output.length < count; i++) {
    const key = keys[i];
    if (`${index}` !== key) {
      if (!test(/^(0|[1-9][0-9]*)$/, key)) break;
      const empty = key - index;
      output[output.length] = ctx.stylize(`<${empty} empty item${empty > 1 ? 's' : ''}>`, 'undefined');
      index = +key;
      if (output.length === count) break;
    }
    output[output.length] = formatProperty(ctx, value, depth, key, arrayEntry);
    index++;
  }
  const rest = value.length - index;
  if (output.length !== count) {
    if (rest > 0) output[output.length] = ctx.stylize(`<${rest} empty item${rest > 1 ? 's' : ''}>`, 'undefined');
  } else if (rest > 0) {
    output[output.length] = more(rest);
  }
  return output;
}

function formatTypedArray(ctx, value, depth) {
  const count = min(max(0, ctx.maxArrayLength), value.length);
  const output = [];
  for (let i = 0; i < count; i++) output[i] = formatPrimitive(ctx.stylize, value[i], ctx);
  if (value.length > count) output[count] = more(value.length - count);
  if (ctx.showHidden) {
    ctx.indentation += 2;
    for (const key of ['BYTES_PER_ELEMENT', 'length', 'byteLength', 'byteOffset', 'buffer']) {
      output[output.length] = `[${key}]: ${formatValue(ctx, value[key], depth, true)}`;
    }
    ctx.indentation -= 2;
  }
  return output;
}

function formatSet(ctx, value, depth) {
  const output = [];
  let left = 0;
  ctx.indentation += 2;
  p.setForEach(value, (v) => {
    if (output.length < ctx.maxArrayLength) output[output.length] = formatValue(ctx, v, depth);
    else left++;
  });
  ctx.indentation -= 2;
  if (left > 0) output[output.length] = more(left);
  return output;
}

function formatMap(ctx, value, depth) {
  const output = [];
  let left = 0;
  ctx.indentation += 2;
  p.mapForEach(value, (v, k) => {
    if (output.length < ctx.maxArrayLength) output[output.length] = `${formatValue(ctx, k, depth)} => ${formatValue(ctx, v, depth)}`;
    else left++;
  });
  ctx.indentation -= 2;
  if (left > 0) output[output.length] = more(left);
  return output;
}

const nextOfMap = p.uncurry(p.prototypeOf(new Map().entries()).next);
const nextOfSet = p.uncurry(p.prototypeOf(new Set().values()).next);
const drained = new p.WeakMap();
const drainedOf = p.uncurry(WeakMap.prototype.get);
const setDrained = p.uncurry(WeakMap.prototype.set);

// remaining returns what an iterator of a map or a set has yet to give. Looking
// uses the iterator up, so it gets a method that gives the same again.
function remaining(iterator) {
  let rest = drainedOf(drained, iterator);
  if (rest === undefined) {
    const next = types.isMapIterator(iterator) ? nextOfMap : nextOfSet;
    rest = { items: [], at: 0 };
    for (let step = next(iterator); !step.done; step = next(iterator)) rest.items[rest.items.length] = step.value;
    setDrained(drained, iterator, rest);
    const again = () => (rest.at < rest.items.length ? { value: rest.items[rest.at++], done: false } : { value: undefined, done: true });
    p.define(iterator, 'next', { value: again, writable: true, enumerable: false, configurable: true });
  }
  return rest;
}

function formatIterator(ctx, value, depth) {
  const { items, at } = remaining(value);
  const output = [];
  ctx.indentation += 2;
  for (let i = at; i < items.length && output.length < ctx.maxArrayLength; i++) output[output.length] = formatValue(ctx, items[i], depth);
  ctx.indentation -= 2;
  const left = items.length - at - output.length;
  if (left > 0) output[output.length] = more(left);
  return output;
}

// iteratorName tells the iterators of entries, by what they give.
function iteratorName(value, tag) {
  const { items } = remaining(value);
  for (let i = 0; i < items.length; i++) if (!p.isArray(items[i]) || items[i].length !== 2) return tag;
  return items.length > 0 ? p.replace(tag, 'Iterator', 'Entries') : tag;
}

function formatBuffer(ctx, value) {
  let bytes;
  try {
    bytes = new p.Uint8Array(value);
  } catch {
    return [ctx.stylize('(detached)', 'special')];
  }
  const count = min(max(0, ctx.maxArrayLength), bytes.length);
  let text = '';
  for (let i = 0; i < count; i++) text += `${i === 0 ? '' : ' '}${p.padStart(p.numberText(bytes[i], 16), 2, '0')}`;
  const rest = bytes.length - count;
  if (rest > 0) text += ` ... ${rest} more byte${rest > 1 ? 's' : ''}`;
  return [`${ctx.stylize('[Uint8Contents]', 'special')}: <${text}>`];
}

function formatPromise(ctx, value, depth) {
  const { state, value: result } = p.host('promise', { value });
  if (state === 'pending') return [ctx.stylize('<pending>', 'special')];
  ctx.indentation += 2;
  const shown = formatValue(ctx, result, depth);
  ctx.indentation -= 2;
  return [state === 'rejected' ? `${ctx.stylize('<rejected>', 'special')} ${shown}` : shown];
}

function formatNamespace(ctx, value, depth) {
  const keys = keysOf(value, ctx.showHidden);
  const output = [];
  for (let i = 0; i < keys.length; i++) {
    try {
      output[i] = formatProperty(ctx, value, depth, keys[i], objectEntry);
    } catch {
      output[i] = `${p.stringOf(keys[i])}: ${ctx.stylize('<uninitialized>', 'special')}`;
    }
  }
  return output;
}

const identifier = /^[a-zA-Z_][a-zA-Z_0-9]*$/;

// names remembers which keys are identifiers: the same few come again and again.
let names = new p.SafeMap();

function isIdentifier(key) {
  let known = names.get(key);
  if (known === undefined) {
    known = test(identifier, key);
    if (names.size >= 1000) names = new p.SafeMap();
    names.set(key, known);
  }
  return known;
}

function formatProperty(ctx, value, depth, key, kind, own = p.descriptor(value, key), original = value) {
  let text;
  own ??= { value: value[key], enumerable: true };
  if (own.value !== undefined) {
    const indent = ctx.compact !== true || kind !== objectEntry ? 2 : 3;
    ctx.indentation += indent;
    text = formatValue(ctx, own.value, depth);
    if (indent === 3 && ctx.breakLength < width(text)) text = `\n${p.repeat(' ', ctx.indentation)}${text}`;
    ctx.indentation -= indent;
  } else if (own.get !== undefined) {
    const label = own.set !== undefined ? 'Getter/Setter' : 'Getter';
    if (ctx.getters && (ctx.getters === true || (ctx.getters === 'get') === (own.set === undefined))) {
      try {
        const result = p.apply(own.get, original, []);
        ctx.indentation += 2;
        if (result === null) text = `${ctx.stylize(`[${label}:`, 'special')} ${ctx.stylize('null', 'null')}${ctx.stylize(']', 'special')}`;
        else if (typeof result === 'object') text = `${ctx.stylize(`[${label}]`, 'special')} ${formatValue(ctx, result, depth)}`;
        else text = `${ctx.stylize(`[${label}:`, 'special')} ${formatPrimitive(ctx.stylize, result, ctx)}${ctx.stylize(']', 'special')}`;
        ctx.indentation -= 2;
      } catch (e) {
        text = ctx.stylize(`[${label}: <Inspection threw (${e.message})>]`, 'special');
      }
    } else {
      text = ctx.stylize(`[${label}]`, 'special');
    }
  } else if (own.set !== undefined) {
    text = ctx.stylize('[Setter]', 'special');
  } else {
    text = ctx.stylize('undefined', 'undefined');
  }
  if (kind === arrayEntry) return text;
  let name;
  if (typeof key === 'symbol') name = `[${ctx.stylize(escapeControl(p.symbolText(key)), 'symbol')}]`;
  else if (key === '__proto__') name = "['__proto__']";
  else if (own.enumerable === false) name = `[${escapeControl(key)}]`;
  else if (isIdentifier(key)) name = ctx.stylize(key, 'name');
  else name = ctx.stylize(quote(key), 'string');
  return `${name}: ${text}`;
}

function reduce(ctx, output, base, braces, kind, depth, value) {
  if (ctx.compact !== true) {
    if (typeof ctx.compact === 'number' && ctx.compact >= 1) {
      const entries = output.length;
      if (kind === extraEntry && entries > 6) output = group(ctx, output, value);
      if (ctx.currentDepth - depth < ctx.compact && entries === output.length) {
        const start = output.length + ctx.indentation + braces[0].length + base.length + 10;
        if (fits(ctx, output, start, base)) {
          const joined = join(output, ', ');
          if (!includes(joined, '\n')) return `${base ? `${base} ` : ''}${braces[0]} ${joined} ${braces[1]}`;
        }
      }
    }
    const indent = `\n${p.repeat(' ', ctx.indentation)}`;
    return `${base ? `${base} ` : ''}${braces[0]}${indent}  ${join(output, `,${indent}  `)}${indent}${braces[1]}`;
  }
  if (fits(ctx, output, 0, base)) return `${braces[0]}${base ? ` ${base}` : ''} ${join(output, ', ')} ${braces[1]}`;
  const indent = `\n${p.repeat(' ', ctx.indentation)}`;
  const line = base === '' && braces[0].length === 1 ? ' ' : `${base ? ` ${base}` : ''}\n${p.repeat(' ', ctx.indentation)}  `;
  return `${braces[0]}${line}${join(output, `,${indent}  `)} ${braces[1]}`;
}

function fits(ctx, output, start, base) {
  let total = output.length + start;
  if (total + output.length > ctx.breakLength) return false;
  for (let i = 0; i < output.length; i++) {
    total += ctx.colors ? stripped(output[i]).length : output[i].length;
    if (total > ctx.breakLength) return false;
  }
  return base === '' || !includes(base, '\n');
}

// group puts the many short elements of an array into columns.
function group(ctx, output, value) {
  let total = 0;
  let longest = 0;
  const count = ctx.maxArrayLength < output.length ? output.length - 1 : output.length;
  const lengths = [];
  for (let i = 0; i < count; i++) {
    const length = width(output[i], ctx.colors);
    lengths[i] = length;
    total += length + 2;
    if (longest < length) longest = length;
  }
  const cell = longest + 2;
  if (!(cell * 3 + ctx.indentation < ctx.breakLength && (total / cell > 5 || longest <= 6))) return output;
  const bias = p.sqrt(cell - total / output.length);
  const biased = max(cell - 3 - bias, 1);
  const columns = min(p.round(p.sqrt(2.5 * biased * count) / biased), p.floor((ctx.breakLength - ctx.indentation) / cell), ctx.compact * 4, 15);
  if (columns <= 1) return output;
  const rows = [];
  const widths = [];
  for (let i = 0; i < columns; i++) {
    let widest = 0;
    for (let j = i; j < count; j += columns) if (lengths[j] > widest) widest = lengths[j];
    widths[i] = widest + 2;
  }
  let start = true;
  if (value !== undefined) {
    for (let i = 0; i < output.length; i++) {
      if (typeof value[i] !== 'number' && typeof value[i] !== 'bigint') {
        start = false;
        break;
      }
    }
  }
  for (let i = 0; i < count; i += columns) {
    const last = min(i + columns, count) - 1;
    let row = '';
    let j = i;
    for (; j < last; j++) {
      const pad = widths[j - i] + output[j].length - lengths[j];
      row += (start ? p.padStart : p.padEnd)(`${output[j]}, `, pad, ' ');
    }
    row += start ? p.padStart(output[j], widths[j - i] + output[j].length - lengths[j] - 2, ' ') : output[j];
    rows[rows.length] = row;
  }
  if (ctx.maxArrayLength < output.length) rows[rows.length] = output[count];
  return rows;
}

function formatNumber(stylize, n, separator) {
  if (n === 0 && 1 / n < 0) return stylize('-0', 'number');
  let text = `${n}`;
  if (separator) {
    const m = exec(/^(-?\d+)(?:\.(\d+))?$/, text);
    if (m !== null) text = grouped(m[1]) + (m[2] === undefined ? '' : `.${p.replace(m[2], /(\d{3})(?=\d)/g, '$1_')}`);
  }
  return stylize(text, 'number');
}

const grouped = (digits) => p.replace(digits, /\B(?=(\d{3})+$)/g, '_');

function formatPrimitive(stylize, value, ctx) {
  switch (typeof value) {
    case 'string': {
      let trailer = '';
      if (value.length > ctx.maxStringLength) {
        const rest = value.length - ctx.maxStringLength;
        value = slice(value, 0, ctx.maxStringLength);
        trailer = `... ${rest} more character${rest > 1 ? 's' : ''}`;
      }
      if (ctx.compact !== true && value.length > 16 && value.length > ctx.breakLength - ctx.indentation - 4 && includes(value, '\n')) {
        const lines = p.split(value, /(?<=\n)/);
        const shown = [];
        for (let i = 0; i < lines.length; i++) shown[i] = stylize(quote(lines[i]), 'string');
        return join(shown, ` +\n${p.repeat(' ', ctx.indentation + 2)}`) + trailer;
      }
      return stylize(quote(value), 'string') + trailer;
    }
    case 'number': return formatNumber(stylize, value, ctx.numericSeparator);
    case 'bigint': return stylize(`${ctx.numericSeparator ? grouped(`${value}`) : value}n`, 'bigint');
    case 'boolean': return stylize(`${value}`, 'boolean');
    case 'undefined': return stylize('undefined', 'undefined');
    default: return stylize(p.symbolText(value), 'symbol');
  }
}

const needsEscape = /[\x00-\x1f\x27\x5c\x7f-\x9f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const toEscape = /[\x00-\x1f\x27\x5c\x7f-\x9f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const toEscapeDouble = /[\x00-\x1f\x5c\x7f-\x9f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const short = { __proto__: null, '\b': '\\b', '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r', '\\': '\\\\', "'": "\\'" };

function escaped(c) {
  const known = short[c];
  if (known !== undefined) return known;
  const code = p.charCodeAt(c, 0);
  const hex = p.numberText(code, 16);
  return code > 255 ? `\\u${hex}` : `\\x${p.padStart(p.upper(hex), 2, '0')}`;
}

const escapeControl = (text) => (test(needsEscape, text) ? p.replace(text, toEscapeDouble, escaped) : text);

const notPlain = /[^ -&(-[\]-~]/;

function quote(text) {
  if (!test(notPlain, text) || !test(needsEscape, text)) return `'${text}'`;
  let mark = "'";
  if (includes(text, "'")) {
    if (!includes(text, '"')) mark = '"';
    else if (!includes(text, '`') && !includes(text, '${')) mark = '`';
  }
  return `${mark}${p.replace(text, mark === "'" ? toEscape : toEscapeDouble, escaped)}${mark}`;
}

const ascii = /^[\x20-\x7e]*$/;
const zeroWidth = /^\p{M}$|^[\u200b-\u200f\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\u{e0100}-\u{e01ef}]$/u;

// width is how many columns text takes on a terminal.
function width(text, strip = true) {
  if (test(ascii, text)) return text.length;
  if (strip) text = stripped(text);
  let columns = 0;
  for (let i = 0; i < text.length; i++) {
    const c = p.codePointAt(text, i);
    if (c > 0xffff) i++;
    if (isWide(c)) columns += 2;
    else if (c >= 32 && !(c >= 0x7f && c < 0xa0) && !(c > 0x2ff && test(zeroWidth, String.fromCodePoint(c)))) columns++;
  }
  return columns;
}

function isWide(c) {
  return c >= 0x1100 && (c <= 0x115f || c === 0x2329 || c === 0x232a || (c >= 0x2e80 && c <= 0x3247 && c !== 0x303f)
    || (c >= 0x3250 && c <= 0x4dbf) || (c >= 0x4e00 && c <= 0xa4c6) || (c >= 0xa960 && c <= 0xa97c) || (c >= 0xac00 && c <= 0xd7a3)
    || (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe10 && c <= 0xfe19) || (c >= 0xfe30 && c <= 0xfe6b) || (c >= 0xff01 && c <= 0xff60)
    || (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1b000 && c <= 0x1b001) || (c >= 0x1f200 && c <= 0x1f251)
    || (c >= 0x1f300 && c <= 0x1f64f) || (c >= 0x1f900 && c <= 0x1f9ff) || (c >= 0x20000 && c <= 0x3fffd));
}

// asString says whether %s shows an object by its own toString.
function asString(value) {
  if (proxyOf(value) !== undefined) return false;
  if (typeof value.toString !== 'function') return false;
  if (p.hasOwn(value, 'toString')) return true;
  if (isError(value) && !(value instanceof p.Error)) return false;
  let object = value;
  do object = p.prototypeOf(object); while (object !== null && !p.hasOwn(object, 'toString'));
  if (object === null) return false;
  const own = p.descriptor(object, 'constructor');
  return !(own !== undefined && typeof own.value === 'function' && builtins.has(own.value.name));
}

const brief = { depth: 0, colors: false, compact: 3 };

function formatString(options, value) {
  switch (typeof value) {
    case 'number': return formatNumber(plain, value);
    case 'bigint': return `${value}n`;
    case 'object':
      if (value !== null && !asString(value)) return inspect(value, { ...options, ...brief });
      return p.stringOf(value);
    case 'function':
      return asString(value) ? p.stringOf(value) : p.stringOf(value);
    default: return p.stringOf(value);
  }
}

// formatList is util.format of the arguments in list, from the index first on.
function formatList(options, list) {
  const first = list[0];
  let text = '';
  let next = 0;
  if (typeof first === 'string') {
    if (list.length === 1) return first;
    next = 1;
    let done = 0;
    for (let at = p.indexOf(first, '%'); at >= 0 && at < first.length - 1; at = p.indexOf(first, '%', at + 1)) {
      const directive = first[at + 1];
      if (directive === '%') {
        text += slice(first, done, at + 1);
        done = at + 2;
        at++;
        continue;
      }
      if (next >= list.length) continue;
      let shown;
      switch (directive) {
        case 's':
          shown = formatString(options, list[next]);
          break;
        case 'd':
          shown = formatD(list[next]);
          break;
        case 'i': {
          const v = list[next];
          if (typeof v === 'bigint') shown = `${v}n`;
          else shown = typeof v === 'symbol' ? 'NaN' : formatNumber(plain, p.parseInteger(v));
          break;
        }
        case 'f':
          shown = typeof list[next] === 'symbol' ? 'NaN' : formatNumber(plain, p.parseDecimal(list[next]));
          break;
        case 'j':
          shown = formatJSON(list[next]);
          break;
        case 'O':
          shown = inspect(list[next], options);
          break;
        case 'o':
          shown = inspect(list[next], { ...options, showHidden: true, showProxy: true, depth: 4 });
          break;
        case 'c':
          shown = '';
          break;
        default:
          continue;
      }
      text += slice(first, done, at) + shown;
      done = at + 2;
      at++;
      next++;
    }
    text = done === 0 ? first : text + slice(first, done);
  }
  for (let i = next; i < list.length; i++) {
    const value = list[i];
    if (i > 0) text += ' ';
    if (typeof value === 'string') text += value;
    else text += typeof value === 'number' && options === noOptions ? formatNumber(plain, value, defaults.numericSeparator) : inspect(value, options);
  }
  return text;
}

function formatD(value) {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'symbol') return 'NaN';
  return formatNumber(plain, p.toNumber(value));
}

function formatJSON(value) {
  try {
    return p.stringOf(p.stringify(value));
  } catch (e) {
    if (includes(p.stringOf(e?.message), 'circular')) return '[Circular]';
    throw e;
  }
}

const format = (...list) => formatList(noOptions, list);
const formatWithOptions = (options, ...list) => formatList(options, list);

inspect.custom = custom;
inspect.colors = colors;
inspect.styles = styles;
p.define(inspect, 'defaultOptions', {
  get: () => defaults,
  set(options) {
    p.assign(defaults, options);
  },
});

module.exports = { inspect, format, formatWithOptions, formatList, noOptions, stripped, width, quote };
});
