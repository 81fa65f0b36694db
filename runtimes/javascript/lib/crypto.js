__define('crypto', (module, exports, require) => {
'use strict';
const { host } = require('internal/primordials');
const { coded, badType, outOfRange, unavailable } = require('internal/errors');
const { Buffer } = require('buffer');
const { Transform } = require('stream');

function fillRandom(bytes) {
  for (let at = 0; at < bytes.length; at += 65536) {
    const part = bytes.subarray(at, Math.min(at + 65536, bytes.length));
    part.set(new Uint8Array(host('random', { length: part.length }).bytes));
  }
  return bytes;
}

function randomBytes(size, callback) {
  if (typeof size !== 'number') throw badType('size', 'number', size);
  if (!(size >= 0 && size <= 2147483647)) throw outOfRange('size', '>= 0 && <= 2147483647', size);
  const bytes = fillRandom(Buffer.alloc(size));
  if (callback === undefined) return bytes;
  require('internal/loop').complete(callback, null, bytes);
  return undefined;
}

function getRandomValues(array) {
  if (!ArrayBuffer.isView(array) || array instanceof Float32Array || array instanceof Float64Array || array instanceof DataView) {
    throw new DOMException('The data argument must be an integer-type TypedArray', 'TypeMismatchError');
  }
  if (array.byteLength > 65536) {
    throw new DOMException(`The requested length exceeds 65,536 bytes`, 'QuotaExceededError');
  }
  fillRandom(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return array;
}

function randomUUID() {
  const bytes = fillRandom(Buffer.alloc(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function randomInt(min, max, callback) {
  if (max === undefined || typeof max === 'function') [min, max, callback] = [0, min, max];
  if (!Number.isSafeInteger(min)) throw badType('min', 'a safe integer', min);
  if (!Number.isSafeInteger(max)) throw badType('max', 'a safe integer', max);
  if (max <= min) throw outOfRange('max', `greater than the value of "min" (${min})`, max);
  const range = max - min;
  if (range > 2 ** 48 - 1) throw outOfRange('max - min', '<= 281474976710655', range);
  const limit = 2 ** 48 - (2 ** 48 % range);
  let n;
  do n = fillRandom(Buffer.alloc(6)).readUIntBE(0, 6); while (n >= limit);
  const value = min + (n % range);
  if (callback === undefined) return value;
  require('internal/loop').complete(callback, null, value);
  return undefined;
}

const algorithms = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'];
const blockSizes = { md5: 64, sha1: 64, sha224: 64, sha256: 64, sha384: 128, sha512: 128 };

function algorithmOf(name) {
  if (typeof name !== 'string') throw badType('algorithm', 'string', name);
  const known = name.toLowerCase().replace(/^rsa-/, '').replace(/^sha-/, 'sha');
  if (!algorithms.includes(known)) {
    const error = coded(Error, 'ERR_OSSL_EVP_UNSUPPORTED', 'Digest method not supported');
    throw error;
  }
  return known;
}

function digestOf(algorithm, bytes) {
  return Buffer.from(host('hash', { algorithm }, bytes).bytes);
}

function bytesOf(data, encoding, name = 'data') {
  if (typeof data === 'string') return Buffer.from(data, encoding);
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return Buffer.from(data);
  if (data?.export !== undefined) return data.export();
  throw badType(name, ['string', 'Buffer', 'TypedArray', 'DataView'], data);
}

function finalized() {
  return coded(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
}

class Hash extends Transform {
  #parts = [];
  #done = false;
  #finish;

  constructor(finish) {
    super();
    this.#finish = finish;
    Object.defineProperty(this, 'parts', { get: () => this.#parts });
  }

  update(data, encoding) {
    if (this.#done) throw finalized();
    this.#parts.push(Buffer.from(bytesOf(data, encoding)));
    return this;
  }

  digest(encoding) {
    if (this.#done) throw finalized();
    this.#done = true;
    const found = this.#finish(Buffer.concat(this.#parts));
    return encoding === undefined || encoding === 'buffer' ? found : found.toString(encoding);
  }

  copy() {
    if (this.#done) throw finalized();
    const same = new Hash(this.#finish);
    for (const part of this.#parts) same.update(part);
    return same;
  }

  _transform(chunk, encoding, callback) {
    this.update(chunk, encoding);
    callback();
  }

  _flush(callback) {
    callback(null, this.digest());
  }
}

function createHash(name) {
  const algorithm = algorithmOf(name);
  return new Hash((bytes) => digestOf(algorithm, bytes));
}

function hmac(algorithm, key, bytes) {
  const size = blockSizes[algorithm];
  if (key.length > size) key = digestOf(algorithm, key);
  const inner = Buffer.alloc(size, 0x36);
  const outer = Buffer.alloc(size, 0x5c);
  for (let i = 0; i < key.length; i++) {
    inner[i] ^= key[i];
    outer[i] ^= key[i];
  }
  return digestOf(algorithm, Buffer.concat([outer, digestOf(algorithm, Buffer.concat([inner, bytes]))]));
}

function createHmac(name, key) {
  let algorithm;
  try {
    algorithm = algorithmOf(name);
  } catch (e) {
    if (e instanceof TypeError) throw e;
    throw coded(Error, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${name}`);
  }
  const secret = bytesOf(key, 'utf8', 'key');
  return new Hash((bytes) => hmac(algorithm, secret, bytes));
}

function pbkdf2Sync(password, salt, iterations, length, digest) {
  const algorithm = algorithmOf(digest);
  const key = bytesOf(password);
  const salted = bytesOf(salt);
  const blocks = [];
  for (let i = 1, have = 0; have < length; i++) {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(i);
    let u = hmac(algorithm, key, Buffer.concat([salted, counter]));
    const block = Buffer.from(u);
    for (let n = 1; n < iterations; n++) {
      u = hmac(algorithm, key, u);
      for (let k = 0; k < block.length; k++) block[k] ^= u[k];
    }
    blocks.push(block);
    have += block.length;
  }
  return Buffer.concat(blocks).subarray(0, length);
}

function timingSafeEqual(a, b) {
  const x = bytesOf(a, undefined, 'buf1');
  const y = bytesOf(b, undefined, 'buf2');
  if (x.length !== y.length) throw coded(RangeError, 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'Input buffers must have the same byte length');
  let different = 0;
  for (let i = 0; i < x.length; i++) different |= x[i] ^ y[i];
  return different === 0;
}

const missing = (name) => () => {
  throw unavailable(`crypto.${name}() is not available in a sandbox: hashes, HMACs and random values are`);
};

const subtle = {
  async digest(algorithm, data) {
    const found = digestOf(algorithmOf(typeof algorithm === 'string' ? algorithm : algorithm.name), bytesOf(data));
    return found.buffer.slice(found.byteOffset, found.byteOffset + found.length);
  },
};
for (const name of ['encrypt', 'decrypt', 'sign', 'verify', 'generateKey', 'importKey', 'exportKey', 'deriveBits', 'deriveKey', 'wrapKey', 'unwrapKey']) {
  subtle[name] = async () => missing(`subtle.${name}`)();
}
const webcrypto = { subtle, getRandomValues, randomUUID };
Object.defineProperty(webcrypto, Symbol.toStringTag, { value: 'Crypto', configurable: true });

module.exports = {
  webcrypto, subtle, getRandomValues, randomUUID, randomBytes, randomInt, createHash, createHmac, pbkdf2Sync, timingSafeEqual, Hash,
  pseudoRandomBytes: randomBytes,
  randomFillSync: (buffer, offset = 0, size = buffer.byteLength - offset) => {
    fillRandom(new Uint8Array(buffer.buffer ?? buffer, (buffer.byteOffset ?? 0) + offset, size));
    return buffer;
  },
  randomFill: (buffer, ...rest) => {
    const callback = rest.pop();
    require('internal/loop').complete(callback, null, module.exports.randomFillSync(buffer, ...rest));
  },
  hash: (algorithm, data, encoding = 'hex') => {
    const found = digestOf(algorithmOf(algorithm), bytesOf(data));
    return encoding === 'buffer' ? found : found.toString(encoding);
  },
  pbkdf2: (password, salt, iterations, length, digest, callback) => {
    require('internal/loop').complete(() => callback(null, pbkdf2Sync(password, salt, iterations, length, digest)));
  },
  getHashes: () => [...algorithms],
  getCiphers: () => [],
  getCurves: () => [],
  constants: {},
};
for (const name of ['createCipheriv', 'createDecipheriv', 'createSign', 'createVerify', 'createDiffieHellman', 'createECDH', 'createPrivateKey',
  'createPublicKey', 'createSecretKey', 'generateKeyPair', 'generateKeyPairSync', 'generateKeySync', 'publicEncrypt', 'privateDecrypt', 'sign', 'verify',
  'scrypt', 'scryptSync', 'hkdf', 'hkdfSync']) module.exports[name] = missing(name);
});
