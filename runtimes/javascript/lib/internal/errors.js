// Errors as Node shows them: stacks, the wording of the engine's own messages,
// and errors with codes.
//
// The engine calls Error.prepareStackTrace for every error it makes, its own
// included. That is where a stack gets V8's form and where QuickJS's short
// messages become the ones people know ("x.map is not a function").
__define('internal/errors', (module, exports, require) => {
'use strict';
const p = require('internal/primordials');
const { slice, exec, test, startsWith, join } = p;

// sources maps the name of a file to what was compiled under it: its text, and
// by how many columns its first line is shifted.
const sources = new p.SafeMap();

const isError = Error.isError ?? ((value) => value instanceof p.Error);

const native = new Set([Error, TypeError, RangeError, SyntaxError, ReferenceError, URIError, EvalError]
  .map((c) => c.prototype));
const plainError = Error.prototype;
const isNative = p.uncurry(Set.prototype.has);

function header(error) {
  try {
    const name = error.name === undefined ? 'Error' : p.stringOf(error.name);
    const message = error.message === undefined ? '' : p.stringOf(error.message);
    if (name === '') return message;
    return message === '' ? name : `${name}: ${message}`;
  } catch {
    return 'Error';
  }
}

// place gives a frame's position in the text its author wrote.
function place(frame) {
  const file = frame.getFileName();
  let column = frame.getColumnNumber();
  const line = frame.getLineNumber();
  if (line === 1) {
    const source = sources.get(file);
    if (source !== undefined) column = p.max(1, column - source.shift);
  }
  return { file, line, column };
}

function isOwn(file) {
  return startsWith(file, 'node:') || startsWith(file, '<');
}

// A frame gives away neither its function nor what it was called on, as in V8 for
// strict code: frames of the library have in reach what calls the host.
p.Error.prepareStackTrace = (error, frames) => {
  for (const name of ['getFunction', 'getThis']) p.define(p.prototypeOf(frames[0]), name, { value() {}, writable: true, configurable: true });
};
void new p.Error().stack;

// Unread is a stack that nobody has read yet. Most are never read; and the name
// and the message in its first line are those at the first reading, as in V8.
class Unread {
  constructor(frames) {
    this.frames = frames;
  }
}

function prepare(error, frames) {
  try {
    reword(error, frames);
  } catch {
    // An error that resists keeps the engine's words.
  }
  return new Unread(frames);
}

// textOf returns a stack as V8 shows it, without the frames of the library.
function textOf(error, frames) {
  let text = header(error);
  let between = ''; // frames of the engine, which show only before one of the program
  for (let i = 0; i < frames.length; i++) {
    const frame = frames[i];
    const file = frame.getFileName();
    let name = frame.getFunctionName() ?? '';
    if (name === '<eval>') name = '';
    if (file == null) {
      if (name !== '') between += `\n    at ${name} (<anonymous>)`;
      continue;
    }
    if (isOwn(file)) {
      between = '';
      continue;
    }
    text += between;
    between = '';
    const at = place(frame);
    const where = `${at.file}:${at.line}:${at.column}`;
    if (name === '') text += `\n    at ${where}`;
    else text += `\n    at ${frame.isConstructor() ? 'new ' : ''}${name} (${where})`;
  }
  return text;
}

const fixed = {
  __proto__: null,
  'invalid array length': 'Invalid array length',
  'invalid array buffer length': 'Array buffer allocation failed',
  'circular reference': 'Converting circular structure to JSON',
  'cannot convert BigInt to number': 'Cannot mix BigInt and other types, use explicit conversions',
  'bigint argument with unary +': 'Cannot convert a BigInt value to a number',
  'BigInt division by zero': 'Division by zero',
  'Date value is NaN': 'Invalid time value',
  'empty array': 'Reduce of empty array with no initial value',
  'expecting hex digit': 'URI malformed',
  'malformed UTF-8': 'URI malformed',
  'invalid UTF-8': 'URI malformed',
  'cannot convert symbol to string': 'Cannot convert a Symbol value to a string',
  'cannot convert symbol to number': 'Cannot convert a Symbol value to a number',
  'toPrimitive': 'Cannot convert object to primitive value',
  'this is not initialized': "Must call super constructor in derived class before accessing 'this' or returning from derived constructor",
  "invalid 'instanceof' right operand": "Right-hand side of 'instanceof' is not callable",
  'BigInt are forbidden in JSON.stringify': 'Do not know how to serialize a BigInt',
  "invalid 'in' operand": "Cannot use 'in' operator to search for a key in what is no object",
  "operand 'prototype' property is not an object": 'Function has non-object prototype in instanceof check',
  'bad normalization form': 'The normalization form should be one of NFC, NFD, NFKC, NFKD.',
  'object is not extensible': 'Cannot add property, object is not extensible',
  'stack overflow': 'Maximum call stack size exceeded',
  'Maximum call stack size exceeded': 'Maximum call stack size exceeded',
};

const readOf = /^cannot read property '(.*)' of (null|undefined)$/s;
const setOf = /^cannot set property '(.*)' of (null|undefined)$/s;
const readOnly = /^'(.*)' is read-only$/s;
const early = /^(.*) is not initialized$/s;
const noExport = /^Could not find export '(.*)' in module '(.*)'$/;
const privateField = /^private class field '(.*)' does not exist$/;

// reword gives an error of the engine the message that V8 would have given it.
function reword(error, frames) {
  const kind = p.prototypeOf(error);
  if (kind === plainError) return; // the engine makes none of those
  const { message } = error;
  if (typeof message !== 'string' || message === '') return;
  if (message === 'stack overflow' || (kind?.name === 'InternalError' && message === 'Maximum call stack size exceeded')) {
    p.setPrototypeOf(error, RangeError.prototype);
    error.message = fixed[message];
    return;
  }
  if (!isNative(native, kind)) return;
  const better = fixed[message] ?? explain(message, frames);
  if (better !== undefined) p.define(error, 'message', { value: better, writable: true, enumerable: false, configurable: true });
}

function explain(message, frames) {
  let m;
  if (startsWith(message, 'cannot read')) {
    if ((m = exec(readOf, message)) !== null) {
      if (m[1] === 'Symbol.iterator') return notIterable(m[2], frames[0]);
      return `Cannot read properties of ${m[2]} (reading '${m[1]}')`;
    }
    return undefined;
  }
  if (startsWith(message, 'cannot set')) {
    if ((m = exec(setOf, message)) !== null) return `Cannot set properties of ${m[2]} (setting '${m[1]}')`;
    return undefined;
  }
  const name = frames[0]?.isNative() ? frames[0].getFunctionName() : '';
  if (message === 'not a function') {
    if (name === 'Promise') return 'Promise resolver is not a function';
    return suffixed(name === '' ? before(frames[0]) : `the argument of ${name}()`, ' is not a function');
  }
  if (name === 'RegExp') return `Invalid regular expression: ${message}`;
  if (name === '' && message === 'Cannot convert undefined or null to object') return notDestructurable(frames[0]);
  if (message === 'not a constructor') return suffixed(afterNew(frames[0]), ' is not a constructor');
  if (message === 'value is not iterable') return notIterable(undefined, frames[0]);
  if (message === "class constructors must be invoked with 'new'") {
    const called = frames[0].getFunctionName();
    return called && `Class constructor ${called} cannot be invoked without 'new'`;
  }
  if ((m = exec(early, message)) !== null && message !== 'this is not initialized') {
    return `Cannot access '${m[1]}' before initialization`;
  }
  if ((m = exec(readOnly, message)) !== null) {
    const from = lineFrom(frames[0]);
    if (from !== undefined && startsWith(slice(from.line, from.offset), m[1]) && from.line[from.offset - 1] !== '.') {
      return 'Assignment to constant variable.';
    }
    return `Cannot assign to read only property '${m[1]}' of object '#<Object>'`;
  }
  if ((m = exec(noExport, message)) !== null) return `The requested module '${m[2]}' does not provide an export named '${m[1]}'`;
  if ((m = exec(privateField, message)) !== null) {
    return `Cannot read private member ${m[1]} from an object whose class did not declare it`;
  }
  if (message === 'invalid repeat count') return 'Invalid count value';
  if (message === 'invalid number of digits') {
    return name === 'toPrecision' ? 'toPrecision() argument must be between 1 and 100'
      : `${name}() ${name === 'toFixed' ? 'digits ' : ''}argument must be between 0 and 100`;
  }
  if (message === 'not an object' && name !== '') {
    if (test(/^(?:Weak)?(?:Map|Set)$/, name)) return 'Iterator value is not an entry object';
    if (name === 'Proxy') return 'Cannot create proxy with a non-object as target or handler';
    return `Object.${name} called on non-object`;
  }
  if (message === 'must be called with new' && name !== '') return `${name === 'Promise' ? 'Promise constructor' : `Constructor ${name}`} requires 'new'`;
  if (startsWith(message, 'cannot convert to BigInt')) return 'The number cannot be converted to a BigInt because it is not an integer';
  if (message === 'invalid BigInt literal') return 'Cannot convert value to a BigInt';
  return undefined;
}

function suffixed(text, suffix) {
  return text === undefined ? undefined : text + suffix;
}

function notIterable(value, frame) {
  const from = lineFrom(frame);
  if (from !== undefined && test(/(?:\bof\s+|\.\.\.|\]\s*=\s*|yield\s*\*\s*)$/, slice(from.line, 0, from.offset))) {
    const m = exec(/^\s*([\w$]+(?:\.[\w$]+)*)(?![\w$(.[])/, slice(from.line, from.offset));
    if (m !== null && !test(/^(?:const|let|var|for|return|new|await|yield|typeof)$/, m[1])) return `${m[1]} is not iterable`;
  }
  return `${value ?? 'object'} is not iterable (cannot read property Symbol(Symbol.iterator))`;
}

// lineFrom returns the line of a frame's position, if its source is known.
function lineFrom(frame) {
  if (frame === undefined || frame.getFileName() == null) return undefined;
  const at = place(frame);
  const line = sourceLine(at.file, at.line);
  return line === undefined ? undefined : { line, offset: at.column - 1 };
}

function sourceLine(file, number) {
  const source = sources.get(file);
  if (source === undefined) return undefined;
  let start = 0;
  for (let n = 1; n < number; n++) {
    start = p.indexOf(source.text, '\n', start) + 1;
    if (start === 0) return undefined;
  }
  const end = p.indexOf(source.text, '\n', start);
  return end < 0 ? slice(source.text, start) : slice(source.text, start, end);
}

// before returns the expression that was called at a frame's position: the
// engine points at the callee's last name, at the dot before it, or behind it.
function before(frame) {
  const from = lineFrom(frame);
  if (from === undefined) return undefined;
  const { line } = from;
  let { offset } = from;
  while (offset > 0 && test(/[\w$#]/, line[offset - 1] ?? '') && test(/[\w$#]/, line[offset] ?? '')) offset--;
  const m = exec(/^(?:\?\.|\.)?\s*(?:[\w$#]+|\[[^\]]*\])(?:\s*(?:\?\.|\.)\s*#?[\w$]+|\[[^\]]*\])*/, slice(line, offset));
  const last = m === null ? '' : p.replace(m[0], /\s+|\?(?=\.)/g, '');
  const follows = m === null ? '' : slice(line, offset + m[0].length);
  let whole = last;
  if (last === '' || last[0] === '.' || last[0] === '[') whole = chain(slice(line, 0, offset)) + last;
  else if (line[offset - 1] === '.') whole = chain(slice(line, 0, offset - (line[offset - 2] === '?' ? 2 : 1))) + '.' + last;
  if (test(/^\([^()]*\)\(/, follows)) whole += '(...)';
  return whole === '' ? undefined : p.replace(whole, /\[(['"])([A-Za-z_$][\w$]*)\1\]/g, '.$2');
}

// chain returns the member expression at the end of text, its arguments left
// out as V8 leaves them out: "a.b(...).c".
function chain(text) {
  let at = text.length;
  let found = '';
  for (;;) {
    let m = exec(/([\w$#]+)\s*$/, slice(text, 0, at));
    if (m !== null) {
      if (test(/^(?:return|new|await|yield|typeof|throw|in|of|void|delete|case|else|do)$/, m[1])) break;
      found = m[1] + found;
      at -= m[0].length;
    } else {
      const end = text[at - 1];
      if (end !== ')' && end !== ']') break;
      const open = opening(text, at - 1);
      if (open < 0) break;
      const callee = test(/[\w$\])]\s*$/, slice(text, 0, open));
      found = (end === ')' ? (callee ? '(...)' : '(intermediate value)') : (callee ? slice(text, open, at) : '(intermediate value)')) + found;
      at = open;
      if (callee) continue;
      break;
    }
    m = exec(/(\?\.|\.)\s*$/, slice(text, 0, at));
    if (m === null) break;
    found = m[1] + found;
    at -= m[0].length;
  }
  if (found !== '' && (found[0] === '.' || found[0] === '?')) found = `(intermediate value)${found}`;
  return found;
}

function opening(text, at) {
  let depth = 0;
  for (; at >= 0; at--) {
    const c = text[at];
    if (c === ')' || c === ']' || c === '}') depth++;
    else if ((c === '(' || c === '[' || c === '{') && --depth === 0) return at;
  }
  return -1;
}

function afterNew(frame) {
  const from = lineFrom(frame);
  if (from === undefined) return undefined;
  const rest = exec(/^[\w$.]*/, slice(from.line, from.offset))[0];
  const m = exec(/new\s+([\w$.]+)$/, slice(from.line, 0, from.offset) + rest);
  return m === null ? '(intermediate value)' : m[1];
}

// notDestructurable names the property that was to be taken from nothing.
function notDestructurable(frame) {
  const from = lineFrom(frame);
  const m = from && (exec(/\{\s*([\w$]+)[^{}]*\}\s*=\s*([\w$.]+)/, from.line) ?? exec(/[(,]\s*\{\s*([\w$]+)/, from.line));
  if (m === null || m === undefined) return undefined;
  const what = m[2] === 'null' ? 'null' : m[2] === 'undefined' ? 'undefined' : 'undefined or null';
  return `Cannot destructure property '${m[1]}' of '${m[2] ?? 'the argument'}' as it is ${what}.`;
}

// coded makes an error class whose instances carry a code, in the way of Node's
// own: the name stays, the code shows in the stack.
function coded(Base, code, message) {
  const error = new Base(message);
  const name = p.stringOf(error.name);
  p.define(error, 'stack', {
    value: p.replace(p.stringOf(error.stack), name, () => `${name} [${code}]`), writable: true, enumerable: false, configurable: true,
  });
  p.define(error, 'toString', {
    value() {
      return `${this.name} [${code}]: ${this.message}`;
    },
    writable: true, enumerable: false, configurable: true,
  });
  error.code = code;
  return error;
}

function describe(value) {
  const { inspect } = require('internal/inspect');
  if (value == null) return ` Received ${value}`;
  if (typeof value === 'function') return ` Received function ${value.name}`;
  if (typeof value === 'object') {
    if (value.constructor?.name) return ` Received an instance of ${value.constructor.name}`;
    return ` Received ${inspect(value, { depth: -1 })}`;
  }
  let shown = inspect(value, { colors: false });
  if (shown.length > 28) shown = `${slice(shown, 0, 25)}...`;
  return ` Received type ${typeof value} (${shown})`;
}

// badType is ERR_INVALID_ARG_TYPE. What is expected is a list: names of types in
// lower case, names of classes in upper case.
function badType(name, expected, value) {
  const list = p.isArray(expected) ? expected : [expected];
  const types = list.filter((e) => test(/^[a-z]/, e));
  const classes = list.filter((e) => !test(/^[a-z]/, e));
  const or = (words) => (words.length < 3 ? words.join(' or ') : `${words.slice(0, -1).join(', ')}, or ${words.at(-1)}`);
  const parts = [];
  if (types.length > 0) parts.push(`${types.length > 1 ? 'one of type' : 'of type'} ${or(types)}`);
  if (classes.length > 0) parts.push(`an instance of ${or(classes)}`);
  const what = test(/ argument$/, name) ? `The ${name}` : `The "${name}" ${p.includes(name, '.') ? 'property' : 'argument'}`;
  return coded(TypeError, 'ERR_INVALID_ARG_TYPE', `${what} must be ${parts.join(' or ')}.${describe(value)}`);
}

function badValue(name, value, reason = 'is invalid') {
  const { inspect } = require('internal/inspect');
  let shown = inspect(value);
  if (shown.length > 128) shown = `${slice(shown, 0, 128)}...`;
  return coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The ${p.includes(name, '.') ? 'property' : 'argument'} '${name}' ${reason}. Received ${shown}`);
}

function outOfRange(name, range, value) {
  const { inspect } = require('internal/inspect');
  let shown = inspect(value);
  if (typeof value === 'number' && p.floor(value) === value && (value > 2 ** 32 || value < -(2 ** 32))) {
    shown = p.replace(shown, /\B(?=(\d{3})+$)/g, '_');
  }
  return coded(RangeError, 'ERR_OUT_OF_RANGE', `The value of "${name}" is out of range. It must be ${range}. Received ${shown}`);
}

function needFunction(value, name = 'callback') {
  if (typeof value !== 'function') throw badType(name, 'function', value);
}

const numbers = {
  __proto__: null, EPERM: 1, ENOENT: 2, EIO: 5, EBADF: 9, EAGAIN: 11, ENOMEM: 12, EACCES: 13, EBUSY: 16, EEXIST: 17, EXDEV: 18, ENODEV: 19,
  ENOTDIR: 20, EISDIR: 21, EINVAL: 22, EMFILE: 24, EFBIG: 27, ENOSPC: 28, EROFS: 30, EPIPE: 32, ENAMETOOLONG: 36, ENOSYS: 38, ENOTEMPTY: 39,
  ELOOP: 40, ENOTSUP: 95, EDQUOT: 122,
};

const meanings = {
  __proto__: null, EPERM: 'operation not permitted', ENOENT: 'no such file or directory', EIO: 'i/o error', EBADF: 'bad file descriptor',
  EAGAIN: 'resource temporarily unavailable', ENOMEM: 'not enough memory', EACCES: 'permission denied', EBUSY: 'resource busy or locked',
  EEXIST: 'file already exists', EXDEV: 'cross-device link not permitted', ENODEV: 'no such device', ENOTDIR: 'not a directory',
  EISDIR: 'illegal operation on a directory', EINVAL: 'invalid argument', EMFILE: 'too many open files', EFBIG: 'file too large',
  ENOSPC: 'no space left on device', EROFS: 'read-only file system', EPIPE: 'broken pipe', ENAMETOOLONG: 'name too long',
  ENOSYS: 'function not implemented', ENOTEMPTY: 'directory not empty', ELOOP: 'too many symbolic links encountered',
  ENOTSUP: 'operation not supported on socket', EDQUOT: 'disk quota exceeded',
};

// system makes the error of a failed file operation.
function system(code, syscall, path, dest) {
  let message = `${code}: ${meanings[code] ?? 'unknown error'}, ${syscall}`;
  if (path !== undefined) message += ` '${path}'`;
  if (dest !== undefined) message += ` -> '${dest}'`;
  const error = new Error(message);
  error.errno = -(numbers[code] ?? 5);
  error.code = code;
  error.syscall = syscall;
  if (path !== undefined) error.path = path;
  if (dest !== undefined) error.dest = dest;
  return error;
}

// unavailable is thrown by what a sandbox cannot have; message says what to do.
function unavailable(message) {
  return coded(Error, 'ERR_SANDBOX_UNAVAILABLE', message);
}

// quote shows where an uncaught error arose, as Node does before its stack.
function quote(stack) {
  const m = exec(/\n    at (?:.*\()?((?:\/|\[)[^\n]*?):(\d+):(\d+)\)?(?=\n|$)/, stack);
  if (m === null) return '';
  const line = sourceLine(m[1], p.toNumber(m[2]));
  if (line === undefined || line.length > 400) return '';
  const indent = p.replace(slice(line, 0, p.toNumber(m[3]) - 1), /[^\t]/g, ' ');
  return `${m[1]}:${m[2]}\n${line}\n${indent}^\n\n`;
}

Error.prepareStackTrace = prepare;

// Promise.any rejects with an error that the engine gives no message.
p.define(AggregateError.prototype, 'message', { value: 'All promises were rejected', writable: true, enumerable: false, configurable: true });

const accessor = p.descriptor(Error.prototype, 'stack');
const read = p.uncurry(accessor.get);

function own(error, value) {
  p.define(error, 'stack', { value, writable: true, enumerable: false, configurable: true });
  return value;
}

p.define(Error.prototype, 'stack', {
  configurable: true,
  enumerable: false,
  get() {
    if (!isError(this)) return undefined;
    const stack = read(this);
    return stack instanceof Unread ? own(this, textOf(this, stack.frames)) : stack;
  },
  set(value) {
    if (this !== null && typeof this === 'object') own(this, value);
  },
});

const { captureStackTrace } = Error;
p.define(Error, 'captureStackTrace', {
  value: function captureStackTrace_(object, caller) {
    captureStackTrace(object, caller);
    const stack = p.descriptor(object, 'stack')?.value;
    if (stack instanceof Unread) own(object, textOf(object, stack.frames));
  },
  writable: true, enumerable: false, configurable: true,
});
p.define(Error.captureStackTrace, 'name', { value: 'captureStackTrace' });

module.exports = {
  sources, prepare, coded, badType, badValue, outOfRange, needFunction, system, numbers, meanings, unavailable, quote, sourceLine, join,
};
});
