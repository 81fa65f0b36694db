__define('util', (module, exports, require) => {
'use strict';
const { inspect, format, formatWithOptions, stripped } = require('internal/inspect');
const { coded, badType, badValue, needFunction, numbers, meanings } = require('internal/errors');
const types = require('internal/types');

const kPromisify = Symbol.for('nodejs.util.promisify.custom');

function promisify(original) {
  needFunction(original, 'original');
  const custom = original[kPromisify];
  if (custom !== undefined) {
    needFunction(custom, 'util.promisify.custom');
    return Object.defineProperty(custom, kPromisify, { value: custom, configurable: true });
  }
  function fn(...args) {
    return new Promise((resolve, reject) => {
      Reflect.apply(original, this, [...args, (error, ...values) => {
        if (error) reject(error);
        else resolve(values[0]);
      }]);
    });
  }
  Object.setPrototypeOf(fn, Object.getPrototypeOf(original));
  Object.defineProperty(fn, kPromisify, { value: fn, configurable: true });
  const own = Object.getOwnPropertyDescriptors(original);
  for (const key of Reflect.ownKeys(own)) if (key !== 'prototype') Object.defineProperty(fn, key, own[key]);
  return fn;
}
promisify.custom = kPromisify;

function callbackify(original) {
  needFunction(original, 'original');
  const { nextTick } = require('internal/loop');
  function fn(...args) {
    const callback = args.pop();
    needFunction(callback, 'last argument');
    Reflect.apply(original, this, args).then(
      (value) => nextTick(callback, null, value),
      (reason) => {
        if (!reason) {
          const error = coded(Error, 'ERR_FALSY_VALUE_REJECTION', 'Promise was rejected with falsy value');
          error.reason = reason;
          reason = error;
        }
        nextTick(callback, reason);
      },
    );
  }
  const own = Object.getOwnPropertyDescriptors(original);
  if (typeof own.length?.value === 'number') own.length.value++;
  if (typeof own.name?.value === 'string') own.name.value += 'Callbackified';
  delete own.prototype;
  return Object.defineProperties(fn, own);
}

function inherits(constructor, parent) {
  if (constructor == null) throw badType('ctor', 'function', constructor);
  if (parent == null) throw badType('superCtor', 'function', parent);
  Object.defineProperty(constructor, 'super_', { value: parent, writable: true, configurable: true });
  Object.setPrototypeOf(constructor.prototype, parent.prototype);
}

const warned = new Set();
function deprecate(fn, message, code) {
  let done = false;
  function deprecated(...args) {
    if (!done) {
      done = true;
      if (code === undefined || !warned.has(code)) {
        warned.add(code);
        require('process').emitWarning(message, 'DeprecationWarning', code);
      }
    }
    return new.target ? Reflect.construct(fn, args, new.target) : Reflect.apply(fn, this, args);
  }
  Object.setPrototypeOf(deprecated, fn);
  if (fn.prototype) deprecated.prototype = fn.prototype;
  return deprecated;
}

function styleText(format, text, { validateStream = true } = {}) {
  if (typeof text !== 'string') throw badType('text', 'string', text);
  let start = '';
  let end = '';
  for (const name of Array.isArray(format) ? format : [format]) {
    const codes = inspect.colors[name];
    if (codes === undefined) throw badValue('format', name, `must be one of: ${Object.keys(inspect.colors).map((c) => `'${c}'`).join(', ')}`);
    start += `\u001b[${codes[0]}m`;
    end = `\u001b[${codes[1]}m${end}`;
  }
  return `${start}${text}${end}`;
}

function parseEnv(content) {
  const found = {};
  const line = /^\s*(?:export\s+)?([\w.-]+)\s*=\s*(?:"((?:[^"])*)"|'((?:[^'])*)'|`((?:[^`])*)`|([^#\r\n]*))[^\r\n]*$/gm;
  for (const m of content.matchAll(line)) {
    found[m[1]] = m[2] !== undefined ? m[2].replaceAll('\\n', '\n') : m[3] ?? m[4] ?? m[5].trim();
  }
  return found;
}

// parseArgs is util.parseArgs.
function parseArgs({ args, options = {}, strict = true, allowPositionals = !strict, allowNegative = false, tokens: wantTokens = false } = {}) {
  args ??= require('process').argv.slice(require('process').argv[1]?.startsWith('/') ? 2 : 1);
  const values = { __proto__: null };
  const positionals = [];
  const tokens = [];
  const shorts = {};
  for (const [name, option] of Object.entries(options)) {
    if (option.type !== 'string' && option.type !== 'boolean') throw badType(`options.${name}.type`, "('string|boolean')", option.type);
    if (option.short !== undefined) shorts[option.short] = name;
  }
  const store = (raw, name, value, index, inline) => {
    let option = options[name];
    if (option === undefined && allowNegative && name.startsWith('no-') && options[name.slice(3)]?.type === 'boolean') {
      name = name.slice(3);
      option = options[name];
      value = false;
    }
    tokens.push({ kind: 'option', name, rawName: raw, index, value: value === true || value === false ? undefined : value, inlineValue: inline });
    if (strict) {
      if (option === undefined) {
        throw coded(TypeError, 'ERR_PARSE_ARGS_UNKNOWN_OPTION', `Unknown option '${raw}'${allowPositionals
          ? `. To specify a positional argument starting with a '-', place it at the end of the command after '--', as in '-- ${JSON.stringify(raw)}` : ''}`);
      }
      const shown = `${option.short ? `-${option.short}, ` : ''}--${name}`;
      if (option.type === 'string' && typeof value !== 'string') {
        throw coded(TypeError, 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE', `Option '${shown} <value>' argument missing`);
      }
      if (option.type === 'boolean' && typeof value === 'string') {
        throw coded(TypeError, 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE', `Option '${shown}' does not take an argument`);
      }
    }
    if (name === '__proto__') return;
    if (option?.multiple) (values[name] ??= []).push(value);
    else values[name] = value;
  };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === '--') {
      tokens.push({ kind: 'option-terminator', index: i });
      for (const [n, rest] of args.slice(i + 1).entries()) {
        if (strict && !allowPositionals) unexpected(rest);
        positionals.push(rest);
        tokens.push({ kind: 'positional', index: i + 1 + n, value: rest });
      }
      break;
    }
    if (arg.startsWith('--')) {
      const equals = arg.indexOf('=');
      const name = equals < 0 ? arg.slice(2) : arg.slice(2, equals);
      const at = i;
      let value = true;
      if (equals >= 0) value = arg.slice(equals + 1);
      else if (options[name]?.type === 'string' && i + 1 < args.length && !/^-./.test(args[i + 1])) value = args[++i];
      store(`--${name}`, name, value, at, equals >= 0);
    } else if (arg.length > 1 && arg[0] === '-') {
      for (let n = 1; n < arg.length; n++) {
        const name = shorts[arg[n]] ?? arg[n];
        if (options[name]?.type === 'string') {
          const rest = arg.slice(n + 1);
          const at = i;
          const value = rest !== '' ? rest : i + 1 < args.length && !/^-./.test(args[i + 1]) ? args[++i] : true;
          store(`-${arg[n]}`, name, value, at, rest !== '');
          break;
        }
        store(`-${arg[n]}`, name, true, i, undefined);
      }
    } else {
      if (strict && !allowPositionals) unexpected(arg);
      positionals.push(arg);
      tokens.push({ kind: 'positional', index: i, value: arg });
    }
  }
  for (const [name, option] of Object.entries(options)) {
    if (option.default !== undefined && values[name] === undefined) values[name] = option.default;
  }
  return wantTokens ? { values, positionals, tokens } : { values, positionals };
}

function unexpected(arg) {
  throw coded(TypeError, 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL', `Unexpected argument '${arg}'. This command does not take positional arguments`);
}

const is = (type) => (value) => typeof value === type;

module.exports = {
  inspect, format, formatWithOptions, promisify, callbackify, inherits, deprecate, styleText, parseEnv, parseArgs, types,
  stripVTControlCharacters: (text) => {
    if (typeof text !== 'string') throw badType('str', 'string', text);
    return stripped(text);
  },
  toUSVString: (text) => `${text}`.toWellFormed(),
  isDeepStrictEqual: (a, b) => require('internal/equal').deepEqual(a, b, true),
  debuglog: (name) => Object.assign(() => {}, { enabled: false }),
  debug: () => Object.assign(() => {}, { enabled: false }),
  getSystemErrorName: (n) => Object.keys(numbers).find((name) => numbers[name] === -n),
  getSystemErrorMap: () => new Map(Object.keys(numbers).map((name) => [-numbers[name], [name, meanings[name]]])),
  aborted: (signal) => new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true }))),
  isArray: Array.isArray,
  isBoolean: is('boolean'), isNumber: is('number'), isString: is('string'), isSymbol: is('symbol'), isUndefined: is('undefined'),
  isFunction: is('function'), isNull: (v) => v === null, isNullOrUndefined: (v) => v == null, isObject: (v) => v !== null && typeof v === 'object',
  isPrimitive: (v) => v === null || (typeof v !== 'object' && typeof v !== 'function'),
  isRegExp: types.isRegExp, isDate: types.isDate, isError: types.internal.isError,
  _extend: (target, source) => Object.assign(target, source),
  log: (...list) => require('internal/console').console.log(`${new Date().toTimeString().slice(0, 8)} - ${format(...list)}`),
};
for (const name of ['TextEncoder', 'TextDecoder']) {
  Object.defineProperty(module.exports, name, { enumerable: true, configurable: true, get: () => require('internal/text')[name] });
}
});

__define('util/types', (module, exports, require) => {
module.exports = require('internal/types');
});
