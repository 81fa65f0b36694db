__define('assert', (module, exports, require) => {
'use strict';
const { inspect } = require('internal/inspect');
const { coded, badType } = require('internal/errors');
const { deepEqual } = require('internal/equal');
const types = require('internal/types');
const { isError } = types.internal;

const headings = {
  deepStrictEqual: 'Expected values to be strictly deep-equal:',
  strictEqual: 'Expected values to be strictly equal:',
  strictEqualObject: 'Expected "actual" to be reference-equal to "expected":',
  deepEqual: 'Expected values to be loosely deep-equal:',
  notDeepStrictEqual: 'Expected "actual" not to be strictly deep-equal to:',
  notStrictEqual: 'Expected "actual" to be strictly unequal to:',
  notStrictEqualObject: 'Expected "actual" not to be reference-equal to "expected":',
  notDeepEqual: 'Expected "actual" not to be loosely deep-equal to:',
  notIdentical: 'Values have same structure but are not reference-equal:',
  notDeepEqualUnequal: 'Expected values not to be loosely deep-equal:',
};

const show = (value) => inspect(value, {
  compact: false, customInspect: false, depth: 1000, maxArrayLength: Infinity, showHidden: false, showProxy: false, sorted: true, getters: true,
});

// difference lists what of actual (+) and expected (-) is not the same, line by
// line, with the lines around.
function difference(actual, expected, heading) {
  const a = show(actual).split('\n');
  const b = show(expected).split('\n');
  if (a.length === 1 && b.length === 1 && a[0] !== b[0]) {
    const width = a[0].length + b[0].length;
    const simple = (v) => v === null || (typeof v !== 'object' && typeof v !== 'function');
    if (width <= 12 && (!(actual === 0 && expected === 0)) ) {
      if (simple(actual) && simple(expected)) return `${heading}\n\n${a[0]} !== ${b[0]}\n`;
    }
  }
  if (a.length === 1 && b.length === 1 && a[0] !== b[0] && typeof actual === 'string' && typeof expected === 'string') {
    let i = 0;
    while (i < a[0].length && a[0][i] === b[0][i]) i++;
    const pointer = i > 2 ? `\n${' '.repeat(i + 2)}^` : '\n';
    return `${heading}\n+ actual - expected\n\n+ ${a[0]}\n- ${b[0]}${pointer}`;
  }
  const lines = [];
  for (const [mark, line] of edits(a, b)) lines.push(`${mark} ${line}`);
  const shown = lines.length > 50 ? shorten(lines) : { lines, skipped: false };
  return `${heading}\n+ actual - expected${shown.skipped ? ' ... Lines skipped' : ''}\n\n${shown.lines.join('\n')}`;
}

function shorten(lines) {
  const keep = new Array(lines.length).fill(false);
  lines.forEach((line, i) => {
    if (line[0] !== ' ') for (let n = Math.max(0, i - 2); n <= Math.min(lines.length - 1, i + 2); n++) keep[n] = true;
  });
  const shown = [];
  let skipped = false;
  lines.forEach((line, i) => {
    if (keep[i]) shown.push(line);
    else if (i === 0 || keep[i - 1]) {
      shown.push('...');
      skipped = true;
    }
  });
  return { lines: shown.slice(0, 60), skipped };
}

// edits is the shortest way from b to a, by longest common subsequence.
function edits(a, b) {
  const n = a.length;
  const m = b.length;
  if (n * m > 250000) return [...a.map((line) => ['+', line]), ...b.map((line) => ['-', line])];
  const longest = Array.from({ length: n + 1 }, () => new Uint16Array(m + 1));
  for (let i = n - 1; i >= 0; i--) {
    for (let j = m - 1; j >= 0; j--) {
      longest[i][j] = same(a[i], b[j]) ? longest[i + 1][j + 1] + 1 : Math.max(longest[i + 1][j], longest[i][j + 1]);
    }
  }
  const found = [];
  let i = 0;
  let j = 0;
  while (i < n || j < m) {
    if (i < n && j < m && same(a[i], b[j])) {
      found.push([' ', a[i++]]);
      j++;
    } else if (i < n && (j === m || longest[i + 1][j] >= longest[i][j + 1])) found.push(['+', a[i++]]);
    else found.push(['-', b[j++]]);
  }
  return found;
}

const same = (x, y) => x === y || `${x},` === y || x === `${y},`;

function messageOf({ actual, expected, operator, message }) {
  if (message !== undefined && operator !== 'deepStrictEqual' && operator !== 'strictEqual') return `${message}`;
  if (operator === 'deepStrictEqual' || operator === 'strictEqual' || operator === 'deepEqual') {
    let heading = headings[operator];
    if (operator === 'strictEqual' && isObject(actual) && isObject(expected)) heading = headings.strictEqualObject;
    if (operator === 'deepEqual') {
      const a = inspect(actual);
      const b = inspect(expected);
      return `${headings.deepEqual}\n\n${a}\n\nshould loosely deep-equal\n\n${b}`;
    }
    if (show(actual) === show(expected) && operator === 'strictEqual' && isObject(actual)) {
      return `${headings.notIdentical}\n\n${show(actual)}\n`;
    }
    return difference(actual, expected, message !== undefined ? `${message}` : heading);
  }
  if (operator === 'notDeepStrictEqual' || operator === 'notStrictEqual') {
    const lines = show(actual).split('\n');
    let heading = headings[operator];
    if (operator === 'notStrictEqual' && isObject(actual)) heading = headings.notStrictEqualObject;
    if (lines.length === 1) return `${heading}${lines[0].length > 5 ? '\n\n' : ' '}${lines[0]}`;
    return `${heading}\n\n${lines.slice(0, 50).join('\n')}\n`;
  }
  if (operator === '==' || operator === '!=') return `${inspect(actual)} ${operator} ${inspect(expected)}`;
  if (operator === 'notDeepEqual') return `${headings.notDeepEqual}\n\n${inspect(actual)}`;
  return 'Failed';
}

const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

class AssertionError extends Error {
  constructor(options) {
    if (options === null || typeof options !== 'object') throw badType('options', 'Object', options);
    const { message, operator, actual, expected, stackStartFn } = options;
    super(messageOf(options));
    this.generatedMessage = message === undefined;
    Object.defineProperty(this, 'name', {
      value: 'AssertionError [ERR_ASSERTION]', enumerable: false, writable: true, configurable: true,
    });
    this.code = 'ERR_ASSERTION';
    this.actual = actual;
    this.expected = expected;
    this.operator = operator;
    Error.captureStackTrace(this, stackStartFn);
    // The name has its code in the stack alone.
    Object.defineProperty(this, 'stack', { value: this.stack, enumerable: false, writable: true, configurable: true });
    this.name = 'AssertionError';
  }

  toString() {
    return `${this.name} [${this.code}]: ${this.message}`;
  }
}

function fail(options, message, generated = message === undefined) {
  if (isError(message)) throw message;
  if (message !== undefined) options.message = message;
  const error = new AssertionError(options);
  error.generatedMessage = generated;
  throw error;
}

function check(value, args, fn) {
  if (value) return;
  const generated = args.length < 2;
  let message = args[1];
  if (args.length === 0) message = 'No value argument passed to `assert.ok()`';
  else if (message === undefined) message = expressionOf(fn) ?? 'The expression evaluated to a falsy value';
  else if (isError(message)) throw message;
  const error = new AssertionError({ message, actual: value, expected: true, operator: '==', stackStartFn: fn });
  error.generatedMessage = generated;
  throw error;
}

// expressionOf quotes the call that failed, from the source of the program.
function expressionOf(fn) {
  const { sourceLine } = require('internal/errors');
  const here = {};
  Error.captureStackTrace(here, fn);
  const m = /\n    at (?:.*\()?((?:\/|\[)[^\n]*?):(\d+):(\d+)\)?(?=\n|$)/.exec(here.stack);
  const line = m && sourceLine(m[1], Number(m[2]));
  const call = line && /\bassert(?:\.ok|\.strict|\.default)?\s*\(.*/.exec(line)?.[0];
  if (!call) return undefined;
  let depth = 0;
  for (let i = 0; i < call.length; i++) {
    if (call[i] === '(') depth++;
    else if (call[i] === ')' && --depth === 0) return `The expression evaluated to a falsy value:\n\n  ${call.slice(0, i + 1)}\n`;
  }
  return undefined;
}

function assert(...args) {
  check(args[0], args, assert);
}
assert.ok = function ok(...args) {
  check(args[0], args, ok);
};
assert.fail = function (message = 'Failed') {
  if (isError(message)) throw message;
  const error = new AssertionError({ message, operator: 'fail', stackStartFn: assert.fail });
  error.generatedMessage = arguments.length === 0;
  throw error;
};

function comparison(name, operator, passes) {
  assert[name] = function (actual, expected, message) {
    if (arguments.length < 2) throw coded(TypeError, 'ERR_MISSING_ARGS', 'The "actual" and "expected" arguments must be specified');
    if (!passes(actual, expected)) fail({ actual, expected, operator, stackStartFn: assert[name] }, message);
  };
  Object.defineProperty(assert[name], 'name', { value: name });
}
comparison('equal', '==', (a, b) => a == b || (a !== a && b !== b));
comparison('notEqual', '!=', (a, b) => !(a == b || (a !== a && b !== b)));
comparison('strictEqual', 'strictEqual', Object.is);
comparison('notStrictEqual', 'notStrictEqual', (a, b) => !Object.is(a, b));
comparison('deepEqual', 'deepEqual', (a, b) => deepEqual(a, b, false));
comparison('notDeepEqual', 'notDeepEqual', (a, b) => !deepEqual(a, b, false));
comparison('deepStrictEqual', 'deepStrictEqual', (a, b) => deepEqual(a, b, true));
comparison('notDeepStrictEqual', 'notDeepStrictEqual', (a, b) => !deepEqual(a, b, true));

function matching(name, wanted) {
  assert[name] = (text, pattern, message) => {
    if (!types.isRegExp(pattern)) throw badType('regexp', 'RegExp', pattern);
    if (typeof text === 'string' && pattern.test(text) === wanted) return;
    fail({
      actual: text, expected: pattern, operator: name, stackStartFn: assert[name],
    }, message ?? (typeof text !== 'string' ? `The "string" argument must be of type string. Received type ${typeof text} (${inspect(text)})`
      : `The input ${wanted ? 'did not match the regular expression' : 'was expected to not match the regular expression'} ${
        inspect(pattern)}. Input:\n\n${inspect(text)}\n`), message === undefined);
  };
}
matching('match', true);
matching('doesNotMatch', false);

const nothing = Symbol('nothing');

function thrownBy(fn) {
  if (typeof fn !== 'function') throw badType('fn', 'function', fn);
  try {
    fn();
  } catch (e) {
    return e;
  }
  return nothing;
}

async function rejectionOf(promiseOrFn) {
  let promise = promiseOrFn;
  if (typeof promise === 'function') {
    promise = promise();
    if (typeof promise?.then !== 'function') {
      throw coded(TypeError, 'ERR_INVALID_RETURN_VALUE', 'Expected instance of Promise to be returned from the "promiseFn" function but got '
        + `${promise === undefined ? 'undefined' : `type ${typeof promise}`}.`);
    }
  } else if (typeof promise?.then !== 'function') {
    throw badType('promiseFn', ['function', 'Promise'], promise);
  }
  try {
    await promise;
  } catch (e) {
    return e;
  }
  return nothing;
}

function expectThrown(fn, actual, expected, message) {
  if (typeof expected === 'string') {
    message = expected;
    expected = undefined;
  }
  if (actual === nothing) {
    let details = '';
    if (expected?.name) details += ` (${expected.name})`;
    details += message && !isError(message) ? `: ${message}` : '.';
    fail({
      actual: undefined, expected, operator: fn.name, stackStartFn: fn,
    }, isError(message) ? message : `Missing expected ${fn.name === 'rejects' ? 'rejection' : 'exception'}${details}`);
  }
  if (expected === undefined) return;
  if (types.isRegExp(expected)) {
    const text = String(actual);
    if (expected.test(text)) return;
    fail({ actual, expected, operator: fn.name, stackStartFn: fn }, message
      ?? `The input did not match the regular expression ${inspect(expected)}. Input:\n\n${inspect(text)}\n`);
  }
  if (typeof expected === 'object') {
    const keys = Object.keys(expected);
    if (isError(expected)) keys.push('name', 'message');
    for (const key of keys) {
      if (typeof actual[key] === 'string' && types.isRegExp(expected[key]) && expected[key].test(actual[key])) continue;
      if (key in actual && deepEqual(actual[key], expected[key], true)) continue;
      if (message !== undefined) fail({ actual, expected, operator: fn.name, stackStartFn: fn }, message);
      const pick = (from) => Object.assign(Object.create({ constructor: { name: 'Comparison' } }), Object.fromEntries(
        keys.filter((k) => k in from).map((k) => [k, typeof actual[k] === 'string' && types.isRegExp(expected[k]) && expected[k].test(actual[k])
          ? actual[k] : from[k]])));
      class Comparison {}
      const a = Object.assign(new Comparison(), pick(actual));
      const b = Object.assign(new Comparison(), pick(expected));
      fail({ actual, expected, operator: fn.name, stackStartFn: fn }, difference(a, b, headings.deepStrictEqual));
    }
    return;
  }
  if (expected.prototype !== undefined && actual instanceof expected) return;
  if (Error.isPrototypeOf(expected) || expected === Error) {
    if (message !== undefined) fail({ actual, expected, operator: fn.name, stackStartFn: fn }, message);
    const got = isError(actual) ? `"${actual.constructor?.name ?? actual.name}"` : `"${inspect(actual, { depth: -1 })}"`;
    const details = isError(actual) ? `\n\nError message:\n\n${actual.message}` : '';
    fail({ actual, expected, operator: fn.name, stackStartFn: fn },
      `The error is expected to be an instance of "${expected.name}". Received ${got}${details}`);
  }
  if (expected.call({}, actual) === true) return;
  fail({ actual, expected, operator: fn.name, stackStartFn: fn }, message ?? `The ${expected.name ? `"${expected.name}" ` : ''}validation function is expected to return "true". Received ${inspect(expected.call({}, actual))}${
    isError(actual) ? `\n\nCaught error:\n\n${actual}` : ''}`);
}

function expectNothing(fn, actual, expected, message) {
  if (actual === nothing) return;
  if (typeof expected === 'string') message = expected;
  fail({
    actual, expected, operator: fn.name, stackStartFn: fn,
  }, `Got unwanted ${fn.name === 'doesNotReject' ? 'rejection' : 'exception'}${message ? `: ${message}` : '.'}\nActual message: "${actual?.message}"`);
}

assert.throws = function throws(fn, ...rest) {
  expectThrown(throws, thrownBy(fn), ...rest);
};
assert.rejects = async function rejects(fn, ...rest) {
  expectThrown(rejects, await rejectionOf(fn), ...rest);
};
assert.doesNotThrow = function doesNotThrow(fn, ...rest) {
  expectNothing(doesNotThrow, thrownBy(fn), ...rest);
};
assert.doesNotReject = async function doesNotReject(fn, ...rest) {
  expectNothing(doesNotReject, await rejectionOf(fn), ...rest);
};
assert.ifError = function ifError(value) {
  if (value === null || value === undefined) return;
  throw new AssertionError({
    actual: value, expected: null, operator: 'ifError', stackStartFn: ifError,
    message: `ifError got unwanted exception: ${isError(value) ? value.message || value.name : inspect(value)}`,
  });
};
assert.partialDeepStrictEqual = (actual, expected, message) => {
  const part = (a, b) => {
    if (Array.isArray(b)) return Array.isArray(a) && b.every((item) => a.some((other) => part(other, item)));
    if (b !== null && typeof b === 'object' && Object.getPrototypeOf(b) === Object.prototype) {
      return a !== null && typeof a === 'object' && Object.keys(b).every((key) => part(a[key], b[key]));
    }
    return deepEqual(a, b, true);
  };
  if (!part(actual, expected)) fail({ actual, expected, operator: 'partialDeepStrictEqual' }, message);
};
assert.AssertionError = AssertionError;
assert.strict = Object.assign(function strict(...args) {
  check(args[0], args, strict);
}, assert, {
  equal: assert.strictEqual, notEqual: assert.notStrictEqual, deepEqual: assert.deepStrictEqual, notDeepEqual: assert.notDeepStrictEqual,
});
assert.strict.strict = assert.strict;
module.exports = assert;
});

__define('assert/strict', (module, exports, require) => {
module.exports = require('assert').strict;
});
