__define('querystring', (module, exports, require) => {
'use strict';

function escape(text) {
  return encodeURIComponent(typeof text === 'object' ? String(text) : text);
}

function unescape(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replace(/%([0-9a-f]{2})/gi, (_, digits) => String.fromCharCode(parseInt(digits, 16)));
  }
}

const primitive = (value) => {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return `${value}`;
  return typeof value === 'bigint' || typeof value === 'boolean' ? `${value}` : '';
};

function stringify(object, separator = '&', equals = '=', { encodeURIComponent: encode = module.exports.escape } = {}) {
  if (object === null || typeof object !== 'object') return '';
  const parts = [];
  for (const key of Object.keys(object)) {
    const name = encode(key) + equals;
    const value = object[key];
    if (Array.isArray(value)) for (const one of value) parts.push(name + encode(primitive(one)));
    else parts.push(name + encode(primitive(value)));
  }
  return parts.join(separator);
}

function parse(text, separator = '&', equals = '=', { decodeURIComponent: decode = module.exports.unescape, maxKeys = 1000 } = {}) {
  const found = { __proto__: null };
  if (typeof text !== 'string' || text === '') return found;
  let parts = text.split(separator);
  if (maxKeys > 0) parts = parts.slice(0, maxKeys);
  for (const part of parts) {
    if (part === '') continue;
    const at = part.indexOf(equals);
    const plain = (piece) => decode(piece.replaceAll('+', ' '));
    const key = plain(at < 0 ? part : part.slice(0, at));
    const value = at < 0 ? '' : plain(part.slice(at + equals.length));
    if (!(key in found)) found[key] = value;
    else if (Array.isArray(found[key])) found[key].push(value);
    else found[key] = [found[key], value];
  }
  return found;
}

module.exports = { escape, unescape, stringify, parse, encode: stringify, decode: parse };
});
