// console, and the writing of text to standard output and error.
__define('internal/console', (module, exports, require) => {
'use strict';
const p = require('internal/primordials');
const { formatList, noOptions, inspect, width } = require('internal/inspect');
const { host, repeat, replace, includes, join } = p;
const types = require('internal/types');

function write(fd, text) {
  host('write', { fd, text });
}

let indent = '';
const counts = new p.SafeMap();
const timers = new p.SafeMap();

function print(fd, list) {
  let text = list.length === 1 && typeof list[0] === 'string' ? list[0] : formatList(noOptions, list);
  if (indent !== '') text = indent + (includes(text, '\n') ? replace(text, /\n/g, `\n${indent}`) : text);
  write(fd, `${text}\n`);
}

// warn prints what Node would send as a process warning.
function warn(text) {
  require('process').emitWarning(text);
}

function milliseconds() {
  return p.toNumber(p.toBigInt(host('now').ns) / 1000n) / 1000;
}

function elapsed(ms) {
  if (ms >= 1000) {
    let seconds = ms / 1000;
    if (seconds >= 60) {
      const minutes = p.floor(seconds / 60);
      seconds -= minutes * 60;
      const [whole, part] = p.split(seconds.toFixed(3), '.');
      if (minutes >= 60) {
        const hours = p.floor(minutes / 60);
        return `${hours}:${p.padStart(`${minutes % 60}`, 2, '0')}:${p.padStart(whole, 2, '0')} (h:mm:ss)`;
      }
      return `${minutes}:${p.padStart(whole, 2, '0')}.${part} (m:ss.mmm)`;
    }
    return `${seconds.toFixed(3)}s`;
  }
  return `${p.toNumber(ms.toFixed(3))}ms`;
}

const cell = (value) => inspect(value, {
  maxArrayLength: 3, breakLength: Infinity, depth: value !== null && typeof value === 'object' && !p.isArray(value) && p.keys(value).length > 2 ? -1 : 0,
});

function table(data, wanted) {
  if (data === null || typeof data !== 'object') return print(1, [data]);
  const iterated = types.isSet(data) || types.isSetIterator(data) || types.isMapIterator(data);
  const indexName = iterated || types.isMap(data) ? '(iteration index)' : '(index)';
  const index = [];
  const head = [];
  const columns = { __proto__: null };
  const values = [];
  let anyValue = false;
  const keyColumn = [];
  const row = (key, value) => {
    const at = index.length;
    index[at] = key;
    const primitive = value === null || (typeof value !== 'object' && typeof value !== 'function');
    if (primitive || typeof value === 'function') {
      anyValue = true;
      values[at] = cell(value);
      return;
    }
    const names = wanted ?? p.keys(value);
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      if (columns[name] === undefined) {
        columns[name] = [];
        head[head.length] = name;
      }
      columns[name][at] = p.hasOwn(value, name) ? cell(value[name]) : '';
    }
  };
  if (types.isMap(data)) {
    let i = 0;
    p.mapForEach(data, (value, key) => {
      keyColumn[i] = cell(key);
      values[i] = cell(value);
      index[i] = i++;
    });
    return print(1, [draw([indexName, 'Key', 'Values'], [index, keyColumn, values], i)]);
  }
  if (iterated) {
    let i = 0;
    for (const value of data) row(i++, value);
  } else {
    const keys = p.keys(data);
    for (let i = 0; i < keys.length; i++) row(keys[i], data[keys[i]]);
  }
  const titles = [indexName, ...head];
  const cells = [index, ...head.map((name) => columns[name])];
  if (anyValue) {
    titles.push('Values');
    cells.push(values);
  }
  return print(1, [draw(titles, cells, index.length)]);
}

// draw makes the table that columns of text form under their titles.
function draw(titles, columns, rows) {
  const widths = titles.map((title, i) => {
    let widest = width(title);
    for (let r = 0; r < rows; r++) widest = p.max(widest, width(`${columns[i][r] ?? ''}`));
    return widest + 2;
  });
  const line = (cells) => `│${join(cells.map((text, i) => ` ${text}${repeat(' ', widths[i] - width(text) - 1)}`), '│')}│`;
  const rule = (left, middle, right) => left + join(widths.map((w) => repeat('─', w)), middle) + right;
  let text = `${rule('┌', '┬', '┐')}\n${line(titles)}\n${rule('├', '┼', '┤')}\n`;
  for (let r = 0; r < rows; r++) text += `${line(columns.map((column) => `${column[r] ?? ''}`))}\n`;
  return text + rule('└', '┴', '┘');
}

function timed(label, rest) {
  const since = timers.get(label);
  if (since === undefined) {
    warn(`No such label '${label}' for console.time()`);
    return;
  }
  print(1, [`${label}: ${elapsed(milliseconds() - since)}`, ...rest]);
}

const console = {
  log(...list) {
    print(1, list);
  },
  warn(...list) {
    print(2, list);
  },
  dir(value, options) {
    print(1, [inspect(value, { customInspect: false, ...options })]);
  },
  time(label = 'default') {
    label = `${label}`;
    if (timers.get(label) !== undefined) warn(`Label '${label}' already exists for console.time()`);
    else timers.set(label, milliseconds());
  },
  timeEnd(label = 'default') {
    label = `${label}`;
    timed(label, []);
    timers.delete(label);
  },
  timeLog(label = 'default', ...rest) {
    timed(`${label}`, rest);
  },
  trace(...list) {
    const here = { name: 'Trace', message: formatList(noOptions, list) };
    Error.captureStackTrace(here, console.trace);
    print(2, [here.stack]);
  },
  assert(condition, ...list) {
    if (condition) return;
    if (typeof list[0] === 'string') list[0] = `Assertion failed: ${list[0]}`;
    else list = ['Assertion failed', ...list];
    print(2, list.length === 1 ? [list[0]] : list);
  },
  clear() {},
  count(label = 'default') {
    label = `${label}`;
    const count = (counts.get(label) ?? 0) + 1;
    counts.set(label, count);
    print(1, [`${label}: ${count}`]);
  },
  countReset(label = 'default') {
    if (!counts.delete(`${label}`)) warn(`Count for '${label}' does not exist`);
  },
  group(...list) {
    if (list.length > 0) print(1, list);
    indent += '  ';
  },
  groupEnd() {
    indent = p.slice(indent, 0, p.max(0, indent.length - 2));
  },
  table(data, wanted) {
    table(data, wanted);
  },
  debug(...list) {
    print(1, list);
  },
  info(...list) {
    print(1, list);
  },
  dirxml(...list) {
    print(1, list);
  },
  error(...list) {
    print(2, list);
  },
  groupCollapsed(...list) {
    console.group(...list);
  },
  profile() {},
  profileEnd() {},
  timeStamp() {},
};
p.define(console, Symbol.toStringTag, { value: 'console', configurable: true });

// Console is the class: a console that writes to streams.
class Console {
  constructor(options, stderr) {
    const stdout = options.stdout ?? options;
    const errors = options.stderr ?? stderr ?? stdout;
    const to = (stream) => (...list) => void stream.write(`${formatList(noOptions, list)}\n`);
    Object.assign(this, console, {
      log: to(stdout), info: to(stdout), debug: to(stdout), error: to(errors), warn: to(errors), trace: to(errors),
      dir: (value, opts) => void stdout.write(`${inspect(value, { customInspect: false, ...opts })}\n`),
    });
  }
}
p.define(console, 'Console', { value: Console, writable: true, configurable: true });

module.exports = { console, write, print };
});
