// Text as bytes and back. The host does what is long; short texts stay here.
__define('internal/encoding', (module, exports, require) => {
'use strict';
const p = require('internal/primordials');
const { host, charCodeAt, fromCharCode } = p;

// encode returns text as UTF-8; lone surrogates become U+FFFD.
function encode(text) {
  if (text.length <= 48) {
    const bytes = new p.Uint8Array(text.length);
    let i = 0;
    for (; i < text.length; i++) {
      const c = charCodeAt(text, i);
      if (c > 127) break;
      bytes[i] = c;
    }
    if (i === text.length) return bytes;
  }
  return new p.Uint8Array(host('utf8', { text }).bytes);
}

// decode returns UTF-8 as text. Wrong bytes become U+FFFD the way the Encoding
// standard says, or are an error if fatal.
function decode(bytes, fatal = false) {
  if (bytes.length <= 24) {
    let text = '';
    let i = 0;
    for (; i < bytes.length && bytes[i] < 128; i++) text += fromCharCode(bytes[i]);
    if (i === bytes.length) return text;
  }
  const { text } = host('text', undefined, bytes);
  return text ?? decodeSlowly(bytes, fatal);
}

function decodeSlowly(bytes, fatal) {
  let text = '';
  for (let i = 0; i < bytes.length;) {
    const length = sequence(bytes, i);
    if (length <= 0) {
      if (fatal) return undefined;
      text += '\ufffd';
      i += length === 0 ? 1 : -length;
      continue;
    }
    let code = bytes[i];
    if (length === 2) code = ((code & 31) << 6) | (bytes[i + 1] & 63);
    else if (length === 3) code = ((code & 15) << 12) | ((bytes[i + 1] & 63) << 6) | (bytes[i + 2] & 63);
    else if (length === 4) code = ((code & 7) << 18) | ((bytes[i + 1] & 63) << 12) | ((bytes[i + 2] & 63) << 6) | (bytes[i + 3] & 63);
    text += code > 0xffff ? fromCharCode(0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff)) : fromCharCode(code);
    i += length;
  }
  return text;
}

// sequence returns the length of the character at i: positive if it is one,
// else minus the length of the longest start of one.
function sequence(bytes, i) {
  const first = bytes[i];
  if (first < 0x80) return 1;
  let need;
  let low = 0x80;
  let high = 0xbf;
  if (first >= 0xc2 && first <= 0xdf) need = 1;
  else if (first >= 0xe0 && first <= 0xef) {
    need = 2;
    if (first === 0xe0) low = 0xa0;
    if (first === 0xed) high = 0x9f;
  } else if (first >= 0xf0 && first <= 0xf4) {
    need = 3;
    if (first === 0xf0) low = 0x90;
    if (first === 0xf4) high = 0x8f;
  } else {
    return -1;
  }
  for (let n = 1; n <= need; n++) {
    const next = bytes[i + n];
    if (next === undefined || next < low || next > high) return -n;
    low = 0x80;
    high = 0xbf;
  }
  return need + 1;
}

// incomplete returns how many bytes at the end of bytes begin a character that
// is not finished.
function incomplete(bytes) {
  for (let n = 1; n <= 3 && n <= bytes.length; n++) {
    const i = bytes.length - n;
    if (bytes[i] >= 0xc0) return sequence(bytes, i) === -n ? n : 0;
    if (bytes[i] < 0x80) return 0;
  }
  return 0;
}

module.exports = { encode, decode, decodeSlowly, incomplete };
});
