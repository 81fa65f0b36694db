__define('buffer', (module, exports, require) => {
'use strict';
const { encode, decode } = require('internal/encoding');
const { coded, badType, badValue, outOfRange } = require('internal/errors');
const { inspect } = require('internal/inspect');

const maxLength = 2 ** 32;

function encodingOf(name) {
  const known = normal(name);
  if (known === undefined) throw coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${name}`);
  return known;
}

function normal(name) {
  if (name === undefined || name === null || name === '') return 'utf8';
  switch (`${name}`.toLowerCase()) {
    case 'utf8': case 'utf-8': return 'utf8';
    case 'hex': return 'hex';
    case 'base64': return 'base64';
    case 'base64url': return 'base64url';
    case 'latin1': case 'binary': return 'latin1';
    case 'ascii': return 'ascii';
    case 'ucs2': case 'ucs-2': case 'utf16le': case 'utf-16le': return 'utf16le';
    default: return undefined;
  }
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const values = new Int8Array(128).fill(-1);
for (let i = 0; i < 64; i++) values[alphabet.charCodeAt(i)] = i;
values[45] = 62; // "-" and "_" of base64url
values[95] = 63;

const toBase64 = Uint8Array.prototype.toBase64;

function base64(bytes, url) {
  if (toBase64 !== undefined) return toBase64.call(bytes, url ? { alphabet: 'base64url', omitPadding: true } : undefined);
  let text = '';
  let i = 0;
  for (; i + 2 < bytes.length; i += 3) {
    const n = (bytes[i] << 16) | (bytes[i + 1] << 8) | bytes[i + 2];
    text += alphabet[n >> 18] + alphabet[(n >> 12) & 63] + alphabet[(n >> 6) & 63] + alphabet[n & 63];
  }
  if (i + 1 === bytes.length) text += `${alphabet[bytes[i] >> 2]}${alphabet[(bytes[i] & 3) << 4]}==`;
  else if (i + 2 === bytes.length) {
    text += `${alphabet[bytes[i] >> 2]}${alphabet[((bytes[i] & 3) << 4) | (bytes[i + 1] >> 4)]}${alphabet[(bytes[i + 1] & 15) << 2]}=`;
  }
  return url ? text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '') : text;
}

function unbase64(text) {
  const bytes = new Uint8Array(Math.floor(text.length * 3 / 4) + 3);
  let length = 0;
  let bits = 0;
  let have = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 61) break;
    const value = c < 128 ? values[c] : -1;
    if (value < 0) continue;
    bits = ((bits << 6) | value) & 0xffffff;
    have += 6;
    if (have >= 8) {
      have -= 8;
      bytes[length++] = (bits >> have) & 255;
    }
  }
  return bytes.subarray(0, length);
}

function bytesOf(text, encoding) {
  switch (encodingOf(encoding)) {
    case 'hex': {
      const bytes = new Uint8Array(text.length >> 1);
      for (let i = 0; i < bytes.length; i++) {
        const pair = text.slice(2 * i, 2 * i + 2);
        if (!/^[0-9a-fA-F]{2}$/.test(pair)) return bytes.subarray(0, i);
        bytes[i] = parseInt(pair, 16);
      }
      return bytes;
    }
    case 'base64': case 'base64url': return unbase64(text);
    case 'latin1': case 'ascii': {
      const bytes = new Uint8Array(text.length);
      for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
      return bytes;
    }
    case 'utf16le': {
      const bytes = new Uint8Array(text.length * 2);
      for (let i = 0; i < text.length; i++) {
        const c = text.charCodeAt(i);
        bytes[2 * i] = c & 255;
        bytes[2 * i + 1] = c >> 8;
      }
      return bytes;
    }
    default: return encode(text);
  }
}

const hex = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

function textOf(bytes, encoding) {
  let text = '';
  switch (encodingOf(encoding)) {
    case 'hex':
      for (let i = 0; i < bytes.length; i++) text += hex[bytes[i]];
      return text;
    case 'base64': return base64(bytes, false);
    case 'base64url': return base64(bytes, true);
    case 'latin1':
      for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]);
      return text;
    case 'ascii':
      for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i] & 127);
      return text;
    case 'utf16le':
      for (let i = 0; i + 1 < bytes.length; i += 2) text += String.fromCharCode(bytes[i] | (bytes[i + 1] << 8));
      return text;
    default: return decode(bytes);
  }
}

class FastBuffer extends Uint8Array {}

function view(bytes) {
  return new FastBuffer(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function size(n) {
  if (typeof n !== 'number') throw badType('size', 'number', n);
  if (!(n >= 0 && n <= maxLength)) throw outOfRange('size', `>= 0 && <= ${maxLength}`, n);
  return n;
}

function Buffer(value, encoding, length) {
  return typeof value === 'number' ? Buffer.alloc(value) : Buffer.from(value, encoding, length);
}
Buffer.prototype = FastBuffer.prototype;
Object.setPrototypeOf(Buffer, Uint8Array);
Object.defineProperty(FastBuffer.prototype, 'constructor', { value: Buffer, writable: true, configurable: true, enumerable: false });
Object.defineProperty(Buffer, Symbol.species, { get: () => FastBuffer });

Buffer.from = function from(value, encoding, length) {
  if (typeof value === 'string') return view(bytesOf(value, encoding));
  if (typeof value === 'object' && value !== null) {
    if (value instanceof ArrayBuffer || Object.prototype.toString.call(value) === '[object SharedArrayBuffer]') {
      return new FastBuffer(value, encoding, length);
    }
    const primitive = typeof value.valueOf === 'function' ? value.valueOf() : value;
    if (primitive !== value && primitive != null && (typeof primitive === 'string' || typeof primitive === 'object')) {
      return Buffer.from(primitive, encoding, length);
    }
    if (ArrayBuffer.isView(value) || Array.isArray(value)) return fill(value);
    if (value.type === 'Buffer' && Array.isArray(value.data)) return fill(value.data);
    if (typeof value.length === 'number') return fill(value);
    const own = value[Symbol.toPrimitive];
    if (typeof own === 'function') {
      const text = own.call(value, 'string');
      if (typeof text === 'string') return view(bytesOf(text, encoding));
    }
  }
  const { message } = badType('first argument', ['string', 'Buffer'], value);
  throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', message.replace('Buffer.', 'Buffer, ArrayBuffer, or Array or an Array-like Object.'));
};

function fill(list) {
  const length = Math.max(0, Math.floor(list.length) || 0);
  const bytes = new FastBuffer(length);
  for (let i = 0; i < length; i++) bytes[i] = list[i];
  return bytes;
}

Buffer.alloc = function alloc(n, value, encoding) {
  const bytes = new FastBuffer(size(n));
  return value === undefined || value === 0 ? bytes : bytes.fill(value, encoding);
};
Buffer.allocUnsafe = (n) => new FastBuffer(size(n));
Buffer.allocUnsafeSlow = Buffer.allocUnsafe;
Buffer.copyBytesFrom = (from, offset = 0, length = from.length - offset) => Buffer.from(
  new Uint8Array(from.slice(offset, offset + length).buffer));
Buffer.isBuffer = (value) => value instanceof Buffer;
Buffer.isEncoding = (name) => typeof name === 'string' && name !== '' && normal(name) !== undefined;
Buffer.byteLength = (value, encoding) => {
  if (typeof value === 'string') return bytesOf(value, normal(encoding) ?? 'utf8').length;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
  throw badType('argument', ['string', 'Buffer', 'ArrayBuffer'], value);
};
Buffer.concat = (list, length) => {
  if (!Array.isArray(list)) throw badType('list', 'Array', list);
  list.forEach((part, i) => {
    if (!(part instanceof Uint8Array)) throw badType(`list[${i}]`, ['Buffer', 'Uint8Array'], part);
  });
  length ??= list.reduce((n, part) => n + part.length, 0);
  const whole = new FastBuffer(length);
  let at = 0;
  for (const part of list) {
    if (at >= length) break;
    whole.set(at + part.length > length ? part.subarray(0, length - at) : part, at);
    at += part.length;
  }
  return whole;
};
Buffer.compare = (a, b) => {
  for (const [name, x] of [['buf1', a], ['buf2', b]]) if (!(x instanceof Uint8Array)) throw badType(name, ['Buffer', 'Uint8Array'], x);
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
  return Math.sign(a.length - b.length);
};
Buffer.of = (...items) => fill(items);
Buffer.poolSize = 8192;

const methods = {
  toString(encoding, start = 0, end = this.length) {
    start = Math.max(0, Math.trunc(start) || 0);
    end = Math.min(this.length, Math.trunc(end) || 0);
    if (end <= start) return '';
    return textOf(start === 0 && end === this.length ? this : Uint8Array.prototype.subarray.call(this, start, end), encoding);
  },
  toJSON() {
    return { type: 'Buffer', data: Array.from(this) };
  },
  equals(other) {
    if (!(other instanceof Uint8Array)) throw badType('otherBuffer', ['Buffer', 'Uint8Array'], other);
    return this === other || Buffer.compare(this, other) === 0;
  },
  compare(target, targetStart = 0, targetEnd = target.length, start = 0, end = this.length) {
    if (!(target instanceof Uint8Array)) throw badType('target', ['Buffer', 'Uint8Array'], target);
    return Buffer.compare(this.subarray(start, end), target.subarray(targetStart, targetEnd));
  },
  copy(target, targetStart = 0, start = 0, end = this.length) {
    if (targetStart >= target.length) return 0;
    const part = this.subarray(start, Math.min(end, start + target.length - targetStart));
    target.set(part, targetStart);
    return part.length;
  },
  slice(start, end) {
    return this.subarray(start, end);
  },
  subarray(start, end) {
    const part = Uint8Array.prototype.subarray.call(Object.getPrototypeOf(this) === FastBuffer.prototype
      ? new Uint8Array(this.buffer, this.byteOffset, this.byteLength) : this, start, end);
    return view(part);
  },
  write(text, offset, length, encoding) {
    if (typeof text !== 'string') throw badType('argument', 'string', text);
    if (typeof offset === 'string') [offset, length, encoding] = [0, undefined, offset];
    else if (typeof length === 'string') [length, encoding] = [undefined, length];
    offset ??= 0;
    length = Math.min(length ?? Infinity, this.length - offset);
    let bytes = bytesOf(text, encoding);
    if (bytes.length > length) {
      bytes = bytes.subarray(0, length);
      // Never half a character.
      if (encodingOf(encoding) === 'utf8') bytes = bytes.subarray(0, length - require('internal/encoding').incomplete(bytes));
    }
    this.set(bytes, offset);
    return bytes.length;
  },
  fill(value, offset, end, encoding) {
    if (typeof offset === 'string') [encoding, offset, end] = [offset, 0, this.length];
    else if (typeof end === 'string') [encoding, end] = [end, this.length];
    offset ??= 0;
    end ??= this.length;
    if (offset < 0 || offset > this.length) throw outOfRange('offset', `>= 0 && <= ${this.length}`, offset);
    if (typeof value === 'number' || typeof value === 'boolean' || value == null) {
      Uint8Array.prototype.fill.call(this, Number(value) & 255, offset, end);
      return this;
    }
    const bytes = typeof value === 'string' ? bytesOf(value, encoding) : value;
    if (bytes.length === 0) {
      if (typeof value === 'string' && value !== '') throw badValue('value', value);
      Uint8Array.prototype.fill.call(this, 0, offset, end);
      return this;
    }
    for (let i = offset; i < end; i++) this[i] = bytes[(i - offset) % bytes.length];
    return this;
  },
  indexOf(value, from, encoding) {
    return search(this, value, from, encoding, true);
  },
  lastIndexOf(value, from, encoding) {
    return search(this, value, from, encoding, false);
  },
  includes(value, from, encoding) {
    return search(this, value, from, encoding, true) >= 0;
  },
  swap16() {
    return swap(this, 2);
  },
  swap32() {
    return swap(this, 4);
  },
  swap64() {
    return swap(this, 8);
  },
  toLocaleString(encoding, start, end) {
    return this.toString(encoding, start, end);
  },
  [inspect.custom](depth, options) {
    const limit = 50;
    let text = Array.from(this.subarray(0, limit), (b) => hex[b]).join(' ');
    if (this.length > limit) text += ` ... ${this.length - limit} more byte${this.length - limit > 1 ? 's' : ''}`;
    const extra = Object.keys(this).slice(this.length).map((key) => `${key}: ${inspect(this[key], { ...options, breakLength: Infinity })}`);
    if (extra.length > 0) text += `${text === '' ? '' : ', '}${extra.join(', ')}`;
    return `<${this.constructor.name} ${text}>`;
  },
};

function search(buffer, value, from, encoding, forwards) {
  if (typeof from === 'string') [encoding, from] = [from, undefined];
  if (typeof value === 'number') {
    value &= 255;
    return forwards ? Uint8Array.prototype.indexOf.call(buffer, value, from ?? 0)
      : Uint8Array.prototype.lastIndexOf.call(buffer, value, from ?? buffer.length);
  }
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) throw badType('value', ['number', 'string', 'Buffer', 'Uint8Array'], value);
  const bytes = typeof value === 'string' ? bytesOf(value, encoding) : value;
  let at = Number(from ?? (forwards ? 0 : buffer.length));
  if (Number.isNaN(at)) at = forwards ? 0 : buffer.length;
  if (at < 0) at += buffer.length;
  if (forwards) at = Math.max(0, at);
  else at = Math.min(at, buffer.length - bytes.length);
  if (bytes.length === 0) return Math.min(at, buffer.length);
  for (; forwards ? at + bytes.length <= buffer.length : at >= 0; at += forwards ? 1 : -1) {
    let n = 0;
    while (n < bytes.length && buffer[at + n] === bytes[n]) n++;
    if (n === bytes.length) return at;
  }
  return -1;
}

function swap(buffer, n) {
  if (buffer.length % n !== 0) throw coded(RangeError, 'ERR_INVALID_BUFFER_SIZE', `Buffer size must be a multiple of ${n * 8}-bits`);
  for (let i = 0; i < buffer.length; i += n) Uint8Array.prototype.reverse.call(new Uint8Array(buffer.buffer, buffer.byteOffset + i, n));
  return buffer;
}

const bounds = (name, value, low, high) => {
  if (typeof value !== 'number') throw badType(name, 'number', value);
  if (value < low || value > high || !Number.isInteger(value)) {
    if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
    throw outOfRange(name, `>= ${low} ${name === 'value' ? 'and' : '&&'} <= ${high}`, value);
  }
};

function at(buffer, offset, n) {
  if (typeof offset !== 'number') throw badType('offset', 'number', offset);
  if (!Number.isInteger(offset)) throw outOfRange('offset', 'an integer', offset);
  if (buffer.length < n) throw coded(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', 'Attempt to access memory outside buffer bounds');
  if (offset < 0 || offset + n > buffer.length) throw outOfRange('offset', `>= 0 and <= ${buffer.length - n}`, offset);
  return new DataView(buffer.buffer, buffer.byteOffset + offset, n);
}

for (const [name, n, signed] of [['UInt8', 1], ['Int8', 1, true], ['UInt16', 2], ['Int16', 2, true], ['UInt32', 4], ['Int32', 4, true]]) {
  const type = `${signed ? 'Int' : 'Uint'}${n * 8}`;
  const low = signed ? -(2 ** (n * 8 - 1)) : 0;
  const high = signed ? 2 ** (n * 8 - 1) - 1 : 2 ** (n * 8) - 1;
  for (const order of n === 1 ? [''] : ['LE', 'BE']) {
    methods[`read${name}${order}`] = function (offset = 0) {
      return at(this, offset, n)[`get${type}`](0, order === 'LE');
    };
    methods[`write${name}${order}`] = function (value, offset = 0) {
      value = +value;
      if (value < low || value > high) throw outOfRange('value', n > 2 ? `>= ${signed ? '-(2 ** 31)' : '0'} and < 2 ** ${signed ? 31 : 32}`
        : `>= ${low} and <= ${high}`, value);
      at(this, offset, n)[`set${type}`](0, value, order === 'LE');
      return offset + n;
    };
  }
}
for (const [name, n] of [['Float', 4], ['Double', 8]]) {
  for (const order of ['LE', 'BE']) {
    methods[`read${name}${order}`] = function (offset = 0) {
      return at(this, offset, n)[`getFloat${n * 8}`](0, order === 'LE');
    };
    methods[`write${name}${order}`] = function (value, offset = 0) {
      at(this, offset, n)[`setFloat${n * 8}`](0, value, order === 'LE');
      return offset + n;
    };
  }
}
for (const [name, type] of [['BigInt64', 'BigInt64'], ['BigUInt64', 'BigUint64']]) {
  for (const order of ['LE', 'BE']) {
    methods[`read${name}${order}`] = function (offset = 0) {
      return at(this, offset, 8)[`get${type}`](0, order === 'LE');
    };
    methods[`write${name}${order}`] = function (value, offset = 0) {
      at(this, offset, 8)[`set${type}`](0, value, order === 'LE');
      return offset + 8;
    };
  }
}
for (const order of ['LE', 'BE']) {
  const place = (i, n) => 2 ** (8 * (order === 'LE' ? i : n - 1 - i));
  methods[`readUInt${order}`] = function (offset, n) {
    bounds('byteLength', n, 1, 6);
    at(this, offset, n);
    let value = 0;
    for (let i = 0; i < n; i++) value += this[offset + i] * place(i, n);
    return value;
  };
  methods[`readInt${order}`] = function (offset, n) {
    const value = this[`readUInt${order}`](offset, n);
    return value >= 2 ** (8 * n - 1) ? value - 2 ** (8 * n) : value;
  };
  methods[`writeUInt${order}`] = methods[`writeInt${order}`] = function (value, offset, n) {
    bounds('byteLength', n, 1, 6);
    at(this, offset, n);
    if (value < 0) value += 2 ** (8 * n);
    for (let i = 0; i < n; i++) this[offset + i] = Math.floor(value / place(i, n)) % 256;
    return offset + n;
  };
}
for (const name of Reflect.ownKeys(methods)) {
  Object.defineProperty(Buffer.prototype, name, { value: methods[name], writable: true, configurable: true, enumerable: false });
  if (typeof name !== 'string') continue;
  if (/UInt/.test(name)) {
    Object.defineProperty(Buffer.prototype, name.replace('UInt', 'Uint'), { value: methods[name], writable: true, configurable: true });
  }
}
for (const name of ['parent', 'offset']) {
  Object.defineProperty(Buffer.prototype, name, {
    get() {
      return this instanceof Buffer ? (name === 'parent' ? this.buffer : this.byteOffset) : undefined;
    },
  });
}

function btoa(text) {
  text = `${text}`;
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 255) throw new DOMException('Invalid character', 'InvalidCharacterError');
  }
  return base64(bytesOf(text, 'latin1'), false);
}

function atob(text) {
  text = `${text}`.replace(/[\t\n\f\r ]/g, '');
  if (text.length % 4 === 0) text = text.replace(/={1,2}$/, '');
  if (text.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(text)) {
    throw new DOMException('The string to be decoded is not correctly encoded.', 'InvalidCharacterError');
  }
  return textOf(unbase64(text), 'latin1');
}

class Blob {
  #bytes;
  #type;

  constructor(parts = [], { type = '' } = {}) {
    this.#bytes = Buffer.concat([...parts].map((part) => {
      if (part instanceof Blob) return part.#bytes;
      if (ArrayBuffer.isView(part)) return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
      if (part instanceof ArrayBuffer) return new Uint8Array(part);
      return encode(`${part}`);
    }));
    this.#type = /[^\x20-\x7e]/.test(type) ? '' : `${type}`.toLowerCase();
  }

  get size() {
    return this.#bytes.length;
  }

  get type() {
    return this.#type;
  }

  async text() {
    return decode(this.#bytes);
  }

  async arrayBuffer() {
    return this.#bytes.buffer.slice(this.#bytes.byteOffset, this.#bytes.byteOffset + this.#bytes.length);
  }

  async bytes() {
    return new Uint8Array(await this.arrayBuffer());
  }

  slice(start = 0, end = this.size, type = '') {
    return new Blob([Uint8Array.prototype.slice.call(this.#bytes, start, end)], { type });
  }

  stream() {
    const bytes = this.#bytes;
    const { ReadableStream } = require('internal/webstreams');
    return new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array(bytes));
        controller.close();
      },
    });
  }

  get [Symbol.toStringTag]() {
    return 'Blob';
  }

  [inspect.custom](depth, options) {
    return `Blob ${inspect({ size: this.size, type: this.type }, options)}`;
  }
}

class File extends Blob {
  constructor(parts, name, options = {}) {
    super(parts, options);
    this.name = `${name}`;
    this.lastModified = options.lastModified ?? Date.now();
  }
}

module.exports = {
  Buffer, Blob, File, atob, btoa,
  SlowBuffer: Buffer.allocUnsafeSlow,
  kMaxLength: maxLength,
  kStringMaxLength: 536870888,
  constants: { MAX_LENGTH: maxLength, MAX_STRING_LENGTH: 536870888 },
  INSPECT_MAX_BYTES: 50,
  isUtf8: (bytes) => decode(new Uint8Array(bytes.buffer ?? bytes), true) !== undefined,
  isAscii: (bytes) => new Uint8Array(bytes.buffer ?? bytes).every((b) => b < 128),
  transcode: (bytes, from, to) => Buffer.from(textOf(bytes, from), to),
};
});
