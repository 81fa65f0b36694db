__define('string_decoder', (module, exports, require) => {
'use strict';
const { Buffer } = require('buffer');
const { incomplete } = require('internal/encoding');
const { coded } = require('internal/errors');

// StringDecoder turns pieces of bytes into text without splitting characters.
class StringDecoder {
  #rest = Buffer.alloc(0);

  constructor(encoding = 'utf8') {
    if (!Buffer.isEncoding(encoding)) throw coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`);
    this.encoding = encoding.toLowerCase().replace('utf-', 'utf');
  }

  write(bytes) {
    if (typeof bytes === 'string') return bytes;
    let whole = Buffer.concat([this.#rest, bytes]);
    let keep = 0;
    if (this.encoding === 'utf8') keep = incomplete(whole);
    else if (/^(?:utf16le|ucs-?2)$/.test(this.encoding)) keep = whole.length % 2;
    else if (/^base64/.test(this.encoding)) keep = whole.length % 3;
    this.#rest = whole.subarray(whole.length - keep);
    if (keep > 0) whole = whole.subarray(0, whole.length - keep);
    return whole.toString(this.encoding);
  }

  end(bytes) {
    let text = bytes === undefined ? '' : this.write(bytes);
    text += this.#rest.toString(this.encoding);
    this.#rest = Buffer.alloc(0);
    return text;
  }
}

module.exports = { StringDecoder };
});
