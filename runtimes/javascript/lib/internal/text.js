// TextEncoder and TextDecoder.
__define('internal/text', (module, exports, require) => {
'use strict';
const { encode, decode, incomplete } = require('internal/encoding');
const { coded, badType } = require('internal/errors');

class TextEncoder {
  get encoding() {
    return 'utf-8';
  }

  encode(text = '') {
    return encode(`${text}`);
  }

  encodeInto(text, target) {
    let read = 0;
    let written = 0;
    for (const c of `${text}`) {
      const bytes = encode(c);
      if (written + bytes.length > target.length) break;
      target.set(bytes, written);
      written += bytes.length;
      read += c.length;
    }
    return { read, written };
  }
}

const labels = {
  __proto__: null, 'utf-8': 'utf-8', utf8: 'utf-8', 'unicode-1-1-utf-8': 'utf-8', 'utf-16le': 'utf-16le', 'utf-16': 'utf-16le', ucs2: 'utf-16le',
  latin1: 'windows-1252', 'iso-8859-1': 'windows-1252', ascii: 'windows-1252', 'us-ascii': 'windows-1252', 'windows-1252': 'windows-1252',
};
const windows1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

class TextDecoder {
  #rest = new Uint8Array(0);
  #begun = false;

  constructor(label = 'utf-8', options = {}) {
    const encoding = labels[`${label}`.trim().toLowerCase()];
    if (encoding === undefined) throw coded(RangeError, 'ERR_ENCODING_NOT_SUPPORTED', `The "${label}" encoding is not supported`);
    this.encoding = encoding;
    this.fatal = Boolean(options.fatal);
    this.ignoreBOM = Boolean(options.ignoreBOM);
  }

  decode(input, { stream = false } = {}) {
    let bytes;
    if (input === undefined) bytes = new Uint8Array(0);
    else if (ArrayBuffer.isView(input)) bytes = new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
    else if (input instanceof ArrayBuffer || Object.prototype.toString.call(input) === '[object SharedArrayBuffer]') bytes = new Uint8Array(input);
    else throw badType('input', ['ArrayBuffer', 'ArrayBufferView'], input);
    if (this.#rest.length > 0) {
      const joined = new Uint8Array(this.#rest.length + bytes.length);
      joined.set(this.#rest);
      joined.set(bytes, this.#rest.length);
      bytes = joined;
    }
    const keep = !stream ? 0 : this.encoding === 'utf-8' ? incomplete(bytes) : this.encoding === 'utf-16le' ? bytes.length % 2 : 0;
    this.#rest = bytes.slice(bytes.length - keep);
    if (keep > 0) bytes = bytes.subarray(0, bytes.length - keep);
    let text = '';
    if (this.encoding === 'utf-8') {
      text = decode(bytes, this.fatal);
      if (text === undefined) throw coded(TypeError, 'ERR_ENCODING_INVALID_ENCODED_DATA', `The encoded data was not valid for encoding ${this.encoding}`);
    } else if (this.encoding === 'utf-16le') {
      for (let i = 0; i + 1 < bytes.length; i += 2) text += String.fromCharCode(bytes[i] | (bytes[i + 1] << 8));
      text = text.toWellFormed();
    } else {
      for (const b of bytes) text += b >= 0x80 && b < 0xa0 ? windows1252[b - 0x80] : String.fromCharCode(b);
    }
    if (!this.ignoreBOM && !this.#begun && text[0] === '\ufeff') text = text.slice(1);
    if (bytes.length > 0) this.#begun = stream;
    return text;
  }
}

module.exports = { TextEncoder, TextDecoder };
});
