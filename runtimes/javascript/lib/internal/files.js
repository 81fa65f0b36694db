// Whole files for the module loader and fs: paths as strings, bytes as
// Uint8Array. Errors are the host's.
__define('internal/files', (module, exports, require) => {
'use strict';
const p = require('internal/primordials');
const { host } = p;
const { decode } = require('internal/encoding');

// The host gives at most this much at a time.
const chunk = 1 << 20;

// What a program waits for of its standard input, the host makes room for; most is
// little.
const first = 4 << 10;

function readDescriptor(fd, size = 0) {
  const parts = [];
  let total = 0;
  for (;;) {
    const bytes = new p.Uint8Array(fd === 0 ? host('read_stdin', { length: total === 0 ? first : chunk }).bytes : host('read', { fd, length: chunk }).bytes);
    if (bytes.length === 0) break;
    parts[parts.length] = bytes;
    total += bytes.length;
    if (size > 0 && total === size && fd !== 0 && bytes.length < chunk) break;
  }
  if (parts.length === 1) return parts[0];
  const whole = new p.Uint8Array(total);
  let at = 0;
  for (let i = 0; i < parts.length; i++) {
    whole.set(parts[i], at);
    at += parts[i].length;
  }
  return whole;
}

function readFile(path) {
  const { fd } = host('open', { path, flags: 'r' });
  try {
    return readDescriptor(fd);
  } finally {
    host('close', { fd });
  }
}

function readText(path) {
  const text = decode(readFile(path));
  return p.charCodeAt(text, 0) === 0xfeff ? p.slice(text, 1) : text;
}

// kindOf returns 'file', 'directory' or undefined for what is not there.
function kindOf(path) {
  try {
    return host('stat', { path }).kind;
  } catch {
    return undefined;
  }
}

module.exports = { chunk, readDescriptor, readFile, readText, kindOf };
});
