// csv-simple: tables as text, RFC 4180 with any delimiter.
__define('csv-simple', (module, exports, require) => {
'use strict';
const { coded } = require('internal/errors');

const invalid = (message) => coded(Error, 'ERR_INVALID_CSV', message);

function one(name, value) {
  if (typeof value !== 'string' || value.length !== 1 || value === '\n' || value === '\r') {
    throw invalid(`csv-simple: ${name} is one character, and not ${JSON.stringify(value)}`);
  }
  return value;
}

// cells splits a text into rows of cells. Empty lines are none. What can be left to
// the engine's own functions is: a step of JavaScript costs many of theirs.
function cells(text, delimiter, quote) {
  if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
  const lines = text.split('\n');
  const returns = text.includes('\r'), quotes = text.includes(quote);
  const rows = [];
  for (let i = 0; i < lines.length; i++) {
    let line = lines[i];
    if (returns && line.endsWith('\r')) line = line.slice(0, -1);
    if (line === '') continue;
    const row = line.split(delimiter);
    if (quotes && line.includes(quote)) i = unquote(row, lines, i, delimiter, quote);
    rows.push(row);
  }
  return rows;
}

// unquote puts the cells of a row together that were split within quotes, with the
// lines that belong to it, and returns the number of the last.
function unquote(row, lines, at, delimiter, quote) {
  const began = at;
  const cells = row.splice(0);
  for (let i = 0; i < cells.length; i++) {
    let cell = cells[i];
    if (!cell.startsWith(quote)) {
      row.push(cell);
      continue;
    }
    let inner = cell.slice(1, -1);
    if (cell.length < 2 || !cell.endsWith(quote) || inner.includes(quote)) {
      while (open(cell, quote)) {
        if (i + 1 < cells.length) cell += delimiter + cells[++i];
        else if (at + 1 < lines.length) {
          const [first, ...rest] = lines[++at].split(delimiter);
          cell = `${withReturn(cell, lines[at - 1])}\n${first}`;
          cells.push(...rest);
        } else throw invalid(`csv-simple: line ${began + 1}: a quoted cell has no end`);
      }
      if (cell.endsWith('\r')) cell = cell.slice(0, -1);
      inner = cell.slice(1, -1).replaceAll(quote + quote, quote);
      if (!cell.endsWith(quote)) throw invalid(`csv-simple: line ${at + 1}: text after the end of a quoted cell`);
    }
    row.push(inner);
  }
  return at;
}

// open says whether a cell that begins with a quote goes on.
function open(cell, quote) {
  return cell.split(quote).length % 2 === 0;
}

// withReturn gives a cell back the carriage return that was taken for the end of a line.
function withReturn(cell, line) {
  return line.endsWith('\r') && !cell.endsWith('\r') ? `${cell}\r` : cell;
}

// parse reads a table. With headers, which is the default, its first row names the
// columns and the others become objects; an array of names says that all rows are
// data; false gives arrays. Values stay text. Cells that a row lacks are undefined.
function parse(csv, { delimiter = ',', quote = '"', headers = true } = {}) {
  const rows = cells(`${csv}`, one('delimiter', delimiter), one('quote', quote));
  if (headers === false) return rows;
  const names = Array.isArray(headers) ? headers : rows.shift() ?? [];
  return rows.map((row, index) => {
    if (row.length > names.length) throw invalid(`csv-simple: row ${index + 1} has ${row.length} cells, and there are ${names.length} columns`);
    const object = {};
    for (let i = 0; i < names.length; i++) {
      if (names[i] !== '__proto__') object[names[i]] = row[i];
      else Object.defineProperty(object, names[i], { value: row[i], writable: true, enumerable: true, configurable: true });
    }
    return object;
  });
}

function text(value) {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

// stringify writes objects, or arrays, as a table. columns are the keys that are
// written, by default all, in the order in which they appear. With headers: false
// the first row, which names them, is left out.
function stringify(data, { delimiter = ',', quote = '"', headers = true, columns } = {}) {
  one('delimiter', delimiter);
  one('quote', quote);
  const rows = Array.from(data);
  const lists = rows.length > 0 && rows.every(Array.isArray);
  const names = columns ?? (lists ? undefined : [...new Set(rows.flatMap((row) => Object.keys(row)))]);
  const cell = (value) => {
    const plain = text(value);
    const special = plain.includes(delimiter) || plain.includes(quote) || /[\r\n]/.test(plain);
    return special ? quote + plain.replaceAll(quote, quote + quote) + quote : plain;
  };
  const line = (values) => values.map(cell).join(delimiter) + '\n';
  let out = headers && names !== undefined ? line(names) : '';
  for (const row of rows) out += line(lists ? row : names.map((name) => row[name]));
  return out;
}

module.exports = { parse, stringify };
});
