// fetch, over the file through which the host makes the requests that a profile grants;
// docs/network.md has its form. A response is complete before there is a promise of it.
// What else would need a network is there, and says why it does not work.
__define('internal/network', (module, exports, require) => {
'use strict';
const p = require('internal/primordials');
const { host } = p;
const { coded, unavailable } = require('internal/errors');
const { chunk } = require('internal/files');
const { encode, decode } = require('internal/encoding');

const advice = 'there is no network in this sandbox. Put the data into the workspace or pass it on standard input';
const ungranted = 'this program has no network: its profile grants none. The operator can list the requests it needs in the profile\'s '
  + 'network.allow; or put the data into the workspace';

const file = '/.sandboxd/fetch';
const codes = { __proto__: null, denied: 'EACCES', timeout: 'ETIMEDOUT', invalid: 'EINVAL', limit: 'EDQUOT' };

// exchange writes a request and its body, and returns what the host answers.
function exchange(request, body) {
  let fd;
  try {
    ({ fd } = host('open', { path: file, flags: 'r+' }));
  } catch (e) {
    if (e.code !== 'ENOENT' && e.code !== 'EROFS') throw e; // there are too many open files
    throw unavailable(`fetch(${p.stringify(request.url)}): ${ungranted}`);
  }
  try {
    for (let data of [encode(`${p.stringify(request)}\n`), body]) {
      while (data.length > 0) data = data.subarray(host('pwrite', { fd }, data.subarray(0, chunk)).written);
    }
    const parts = [];
    for (;;) {
      const { bytes } = host('read', { fd, length: chunk });
      if (bytes.byteLength === 0) break;
      parts[parts.length] = new p.Uint8Array(bytes);
    }
    const all = require('buffer').Buffer.concat(parts);
    const end = all.indexOf(10);
    return { answer: p.parseJSON(decode(all.subarray(0, end))), bytes: new p.Uint8Array(all.subarray(end + 1)) };
  } finally {
    host('close', { fd });
  }
}

function failed(cause) {
  return new TypeError('fetch failed', { cause });
}

async function fetch(resource, init) {
  const asked = new Request(resource, init);
  const { signal } = asked;
  if (signal?.aborted) throw signal.reason;
  const body = await asked.bytes();
  const request = { method: asked.method, url: p.replace(asked.url, /#.*$/s, ''), headers: [...asked.headers], body: body.length };
  if (asked.redirect !== 'follow') request.redirects = 0;
  let got;
  try {
    got = exchange(request, body);
  } catch (e) {
    throw failed(e);
  }
  const { answer, bytes } = got;
  if (answer.error !== undefined) throw failed(coded(Error, codes[answer.error] ?? 'EIO', answer.message));
  if (asked.redirect === 'error' && answer.status >= 300 && answer.status < 400) throw failed(coded(Error, 'EIO', 'unexpected redirect'));
  const empty = answer.status === 204 || answer.status === 304 || request.method === 'HEAD';
  const response = new Response(empty ? null : bytes, { status: answer.status, statusText: answer.reason, headers: answer.headers });
  located.set(response, { url: answer.url, redirected: answer.url !== request.url });
  return response;
}

class Headers {
  #map = new Map();

  constructor(init = {}) {
    const pairs = typeof init[Symbol.iterator] === 'function' ? init : Object.entries(init);
    for (const [name, value] of pairs) this.append(name, value);
  }

  append(name, value) {
    name = `${name}`.toLowerCase();
    this.#map.set(name, this.#map.has(name) ? `${this.#map.get(name)}, ${value}` : `${value}`);
  }

  delete(name) {
    this.#map.delete(`${name}`.toLowerCase());
  }

  get(name) {
    return this.#map.get(`${name}`.toLowerCase()) ?? null;
  }

  has(name) {
    return this.#map.has(`${name}`.toLowerCase());
  }

  set(name, value) {
    this.#map.set(`${name}`.toLowerCase(), `${value}`);
  }

  forEach(fn) {
    for (const [name, value] of this) fn(value, name, this);
  }

  * entries() {
    yield* [...this.#map].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  * keys() {
    for (const [name] of this.entries()) yield name;
  }

  * values() {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator]() {
    return this.entries();
  }
}

// refused makes a class that cannot be used.
function refused(name) {
  return { [name]: class {
    constructor() {
      throw unavailable(`${name}: ${advice}`);
    }
  } }[name];
}

// typeOf is the content type that a body has by itself.
function typeOf(body) {
  if (typeof body === 'string') return 'text/plain;charset=UTF-8';
  if (body instanceof URLSearchParams) return 'application/x-www-form-urlencoded;charset=UTF-8';
  return body instanceof require('buffer').Blob && body.type !== '' ? body.type : undefined;
}

class Body {
  #body;
  #used = false;

  constructor(body, headers) {
    if (body instanceof FormData) throw unavailable('a body of FormData is not supported: send JSON, text or URLSearchParams');
    this.headers = new Headers(headers);
    this.#body = body ?? null;
    const type = typeOf(body);
    if (type !== undefined && !this.headers.has('content-type')) this.headers.set('content-type', type);
  }

  get bodyUsed() {
    return this.#used;
  }

  // content is the body, for another that is to have it too.
  static content(of) {
    if (of.#used) throw new TypeError('Body is unusable: Body has already been read');
    return of.#body;
  }

  async bytes() {
    const body = Body.content(this);
    if (body === null) return new p.Uint8Array(0);
    this.#used = true;
    if (ArrayBuffer.isView(body)) return new p.Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice();
    if (body instanceof ArrayBuffer) return new p.Uint8Array(body.slice());
    if (body instanceof require('buffer').Blob) return new p.Uint8Array(await body.arrayBuffer());
    return encode(`${body}`);
  }

  async arrayBuffer() {
    const bytes = await this.bytes();
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  }

  async text() {
    return new TextDecoder().decode(await this.bytes());
  }

  async json() {
    return JSON.parse(await this.text());
  }

  async blob() {
    return new (require('buffer').Blob)([await this.bytes()], { type: this.headers.get('content-type') ?? '' });
  }
}

class Request extends Body {
  constructor(input, init = {}) {
    const from = input instanceof Request ? input : undefined;
    super(init.body ?? (from === undefined ? undefined : Body.content(from)), init.headers ?? from?.headers);
    this.url = from?.url ?? new URL(`${input?.href ?? input}`).href;
    this.method = `${init.method ?? from?.method ?? 'GET'}`.toUpperCase();
    this.signal = init.signal ?? from?.signal;
    this.redirect = init.redirect ?? from?.redirect ?? 'follow';
    if (init.body != null && (this.method === 'GET' || this.method === 'HEAD')) {
      throw new TypeError('Request with GET/HEAD method cannot have body.');
    }
  }

  clone() {
    return new Request(this);
  }
}

// located says of responses that came over the network from where.
const located = new WeakMap();

class Response extends Body {
  constructor(body, init = {}) {
    super(body, init.headers);
    this.status = init.status ?? 200;
    this.statusText = init.statusText ?? '';
    this.ok = this.status >= 200 && this.status < 300;
  }

  get url() {
    return located.get(this)?.url ?? '';
  }

  get redirected() {
    return located.get(this)?.redirected ?? false;
  }

  get type() {
    return located.has(this) ? 'basic' : 'default';
  }

  clone() {
    const copy = new Response(Body.content(this), this);
    if (located.has(this)) located.set(copy, located.get(this));
    return copy;
  }

  static json(value, init = {}) {
    return new Response(JSON.stringify(value), { ...init, headers: { 'content-type': 'application/json', ...init.headers } });
  }
}

class FormData {
  #list = [];

  append(name, value) {
    this.#list.push([`${name}`, typeof value === 'object' ? value : `${value}`]);
  }

  set(name, value) {
    this.delete(name);
    this.append(name, value);
  }

  delete(name) {
    this.#list = this.#list.filter(([key]) => key !== name);
  }

  get(name) {
    return this.#list.find(([key]) => key === name)?.[1] ?? null;
  }

  getAll(name) {
    return this.#list.filter(([key]) => key === name).map(([, value]) => value);
  }

  has(name) {
    return this.#list.some(([key]) => key === name);
  }

  entries() {
    return this.#list[Symbol.iterator]();
  }

  [Symbol.iterator]() {
    return this.entries();
  }
}

module.exports = { fetch, Headers, Request, Response, FormData, WebSocket: refused('WebSocket'), XMLHttpRequest: refused('XMLHttpRequest') };
});
