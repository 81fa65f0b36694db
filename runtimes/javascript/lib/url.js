// URL and URLSearchParams after the WHATWG's URL standard, for the addresses
// programs use; names of hosts outside ASCII are kept as they are, in lower case.
__define('url', (module, exports, require) => {
'use strict';
const { coded, badType } = require('internal/errors');
const { encode } = require('internal/encoding');
const { inspect } = require('internal/inspect');

const special = { 'http:': '80', 'https:': '443', 'ws:': '80', 'wss:': '443', 'ftp:': '21', 'file:': '' };
const isSpecial = (protocol) => Object.hasOwn(special, protocol);

function percent(text, pattern) {
  return text.replace(pattern, (c) => Array.from(encode(c), (b) => `%${b.toString(16).toUpperCase().padStart(2, '0')}`).join(''));
}
const inFragment = /[\x00-\x20"<>`\x7f]|[^\x00-\x7f]/gu;
const inQuery = /[\x00-\x20"#<>\x7f]|[^\x00-\x7f]/gu;
const inSpecialQuery = /[\x00-\x20"#'<>\x7f]|[^\x00-\x7f]/gu;
const inPath = /[\x00-\x20"#<>?^`{}\x7f]|[^\x00-\x7f]/gu;
const inUser = /[\x00-\x20"#<>?^`{}\x7f/:;=@[\\\]|]|[^\x00-\x7f]/gu;
const inOpaque = /[\x00-\x1f\x7f]|[^\x00-\x7f]/gu;

function invalid(input, base) {
  const error = coded(TypeError, 'ERR_INVALID_URL', 'Invalid URL');
  error.input = input;
  if (base !== undefined) error.base = base;
  return error;
}

// hostOf normalizes a host; undefined if it cannot be one.
function hostOf(text, protocol) {
  if (text[0] === '[') return text.endsWith(']') ? ipv6(text.slice(1, -1)) : undefined;
  if (!isSpecial(protocol)) return /[\x00\t\n\r #/<>?@[\\\]^|]/.test(text) ? undefined : percent(text, inOpaque);
  let host;
  try {
    host = decodeURIComponent(text).toLowerCase();
  } catch {
    return undefined;
  }
  if (/[^\x00-\x7f]/.test(host)) host = host.split('.').map((label) => (/[^\x00-\x7f]/.test(label) ? `xn--${punycode(label.normalize('NFC'))}` : label)).join('.');
  if (host === '' || /[\x00-\x20#%/:<>?@[\\\]^|\x7f]/.test(host)) return undefined;
  if (/(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/.test(host)) return ipv4(host);
  return host;
}

// punycode encodes a label after RFC 3492.
function punycode(label) {
  const points = Array.from(label, (c) => c.codePointAt(0));
  let output = points.filter((c) => c < 128).map((c) => String.fromCharCode(c)).join('');
  const basic = output.length;
  let handled = basic;
  if (basic > 0) output += '-';
  let n = 128;
  let delta = 0;
  let bias = 72;
  const digit = (d) => String.fromCharCode(d < 26 ? d + 97 : d + 22);
  while (handled < points.length) {
    const next = Math.min(...points.filter((c) => c >= n));
    delta += (next - n) * (handled + 1);
    n = next;
    for (const c of points) {
      if (c < n) delta++;
      if (c !== n) continue;
      let q = delta;
      for (let k = 36; ; k += 36) {
        const t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
        if (q < t) break;
        output += digit(t + ((q - t) % (36 - t)));
        q = Math.floor((q - t) / (36 - t));
      }
      output += digit(q);
      delta = handled === basic ? Math.floor(delta / 700) : delta >> 1;
      delta += Math.floor(delta / (handled + 1));
      let k = 0;
      for (; delta > 455; k += 36) delta = Math.floor(delta / 35);
      bias = k + Math.floor((36 * delta) / (delta + 38));
      delta = 0;
      handled++;
    }
    delta++;
    n++;
  }
  return output;
}

function ipv4(host) {
  const parts = host.replace(/\.$/, '').split('.');
  if (parts.length > 4) return undefined;
  const numbers = parts.map((part) => {
    if (/^0x[0-9a-f]*$/.test(part)) return part === '0x' ? 0 : parseInt(part, 16);
    if (/^0[0-7]+$/.test(part)) return parseInt(part, 8);
    return /^\d+$/.test(part) ? Number(part) : NaN;
  });
  if (numbers.some(Number.isNaN)) return undefined;
  const last = numbers.pop();
  if (numbers.some((n) => n > 255) || last >= 256 ** (4 - numbers.length)) return undefined;
  let value = last;
  numbers.forEach((n, i) => {
    value += n * 256 ** (3 - i);
  });
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

function ipv6(text) {
  let tail = text;
  const v4 = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (v4 !== null) {
    const [a, b, c, d] = v4.slice(2).map(Number);
    if ([a, b, c, d].some((n) => n > 255)) return undefined;
    tail = `${v4[1]}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  const halves = tail.split('::');
  if (halves.length > 2) return undefined;
  const read = (half) => (half === '' ? [] : half.split(':'));
  const front = read(halves[0]);
  const back = halves.length === 2 ? read(halves[1]) : [];
  const pieces = halves.length === 2 ? [...front, ...new Array(Math.max(0, 8 - front.length - back.length)).fill('0'), ...back] : front;
  if (pieces.length !== 8 || pieces.some((piece) => !/^[0-9a-f]{1,4}$/i.test(piece))) return undefined;
  const numbers = pieces.map((piece) => parseInt(piece, 16));
  let best = { at: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let n = i;
    while (n < 8 && numbers[n] === 0) n++;
    if (n - i > best.length) best = { at: i, length: n - i };
    if (n > i) i = n;
  }
  const hex = numbers.map((n) => n.toString(16));
  if (best.at < 0) return `[${hex.join(':')}]`;
  return `[${hex.slice(0, best.at).join(':')}::${hex.slice(best.at + best.length).join(':')}]`;
}

function pathOf(text, isFile) {
  const parts = [];
  const pieces = text.split('/');
  pieces.forEach((piece, i) => {
    const last = i === pieces.length - 1;
    const dots = piece.replaceAll(/%2e/gi, '.');
    if (dots === '..') {
      if (!(isFile && parts.length === 1 && /^[A-Za-z]:$/.test(parts[0]))) parts.pop();
      if (last) parts.push('');
    } else if (dots === '.') {
      if (last) parts.push('');
    } else {
      parts.push(percent(piece, inPath));
    }
  });
  return `/${parts.join('/')}`;
}

// parse returns the parts of an address, or undefined if it is none.
function parse(input, base) {
  let text = input.replace(/^[\x00-\x20]+|[\x00-\x20]+$/g, '').replace(/[\t\n\r]/g, '');
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text);
  let protocol;
  let rest = text;
  let inherited;
  if (scheme !== null) {
    protocol = `${scheme[1].toLowerCase()}:`;
    rest = text.slice(scheme[0].length);
    if (base !== undefined && isSpecial(protocol) && protocol === base.protocol && !/^[/\\]/.test(rest)) inherited = base;
  } else {
    if (base === undefined) return undefined;
    if (base.opaque && text[0] !== '#') return undefined;
    protocol = base.protocol;
    inherited = base;
  }
  const parts = { protocol, username: '', password: '', host: null, port: '', pathname: '', search: '', hash: '', opaque: false };
  const hashAt = rest.indexOf('#');
  if (hashAt >= 0) {
    parts.hash = `#${percent(rest.slice(hashAt + 1), inFragment)}`;
    rest = rest.slice(0, hashAt);
  }
  let query;
  const queryAt = rest.indexOf('?');
  if (queryAt >= 0) {
    query = rest.slice(queryAt + 1);
    rest = rest.slice(0, queryAt);
  }
  const known = isSpecial(protocol);
  if (known) rest = rest.replaceAll('\\', '/');
  if (query !== undefined) parts.search = `?${percent(query, known ? inSpecialQuery : inQuery)}`;
  if (known && protocol !== 'file:' && inherited === undefined) rest = `//${rest.replace(/^\/*/, '')}`;
  if (rest.startsWith('//')) {
    const end = rest.indexOf('/', 2);
    let authority = end < 0 ? rest.slice(2) : rest.slice(2, end);
    rest = end < 0 ? '' : rest.slice(end);
    if (protocol === 'file:') {
      if (/^[A-Za-z][:|]$/.test(authority)) {
        rest = `/${authority}${rest}`;
        authority = '';
      }
      parts.host = authority === '' ? '' : hostOf(authority, protocol);
      if (parts.host === 'localhost') parts.host = '';
      if (parts.host === undefined) return undefined;
    } else {
      const at = authority.lastIndexOf('@');
      if (at >= 0) {
        const user = authority.slice(0, at);
        const colon = user.indexOf(':');
        parts.username = percent(colon < 0 ? user : user.slice(0, colon), inUser);
        parts.password = colon < 0 ? '' : percent(user.slice(colon + 1), inUser);
        authority = authority.slice(at + 1);
      }
      const port = /:(\d*)$/.exec(authority);
      if (port !== null && !/\[[^\]]*$/.test(authority)) {
        authority = authority.slice(0, port.index);
        if (port[1] !== '') {
          if (Number(port[1]) > 65535) return undefined;
          const number = `${Number(port[1])}`;
          parts.port = number === special[protocol] ? '' : number;
        }
      } else if (/:[^\]]*$/.test(authority) && authority[0] !== '[') {
        return undefined;
      }
      if (authority === '' && (known || parts.username !== '' || parts.port !== '')) return undefined;
      parts.host = authority === '' ? '' : hostOf(authority, protocol);
      if (parts.host === undefined) return undefined;
    }
    parts.pathname = rest === '' ? (known ? '/' : '') : pathOf(rest.slice(1), protocol === 'file:');
    return parts;
  }
  if (inherited !== undefined) {
    for (const name of ['username', 'password', 'host', 'port']) parts[name] = inherited[name];
    if (rest === '') {
      parts.pathname = inherited.pathname;
      parts.opaque = inherited.opaque;
      if (query === undefined) parts.search = inherited.search;
    } else if (rest[0] === '/') {
      parts.pathname = pathOf(rest.slice(1), protocol === 'file:');
    } else {
      parts.pathname = pathOf(inherited.pathname.slice(1, inherited.pathname.lastIndexOf('/') + 1) + rest, protocol === 'file:');
    }
    return parts;
  }
  if (protocol === 'file:') parts.host = '';
  if (rest[0] === '/' || protocol === 'file:') {
    parts.pathname = pathOf(rest.replace(/^\//, ''), protocol === 'file:');
  } else {
    parts.pathname = percent(rest, inOpaque);
    parts.opaque = true;
  }
  return parts;
}

const hidden = new WeakMap();

class URL {
  constructor(input, base) {
    if (arguments.length === 0) throw coded(TypeError, 'ERR_MISSING_ARGS', 'The "url" argument must be specified');
    input = `${input}`;
    let from;
    if (base !== undefined) {
      from = parse(`${base}`);
      if (from === undefined) throw invalid(input, `${base}`);
    }
    const parts = parse(input, from);
    if (parts === undefined) throw invalid(input, base === undefined ? undefined : `${base}`);
    hidden.set(this, { parts, params: undefined });
  }

  static canParse(input, base) {
    try {
      return new URL(input, base) !== undefined;
    } catch {
      return false;
    }
  }

  static parse(input, base) {
    return URL.canParse(input, base) ? new URL(input, base) : null;
  }

  static createObjectURL() {
    throw coded(Error, 'ERR_SANDBOX_UNAVAILABLE', 'URL.createObjectURL() is not available in a sandbox: use the bytes of the Blob directly');
  }

  static revokeObjectURL() {}

  get href() {
    const { parts } = hidden.get(this);
    let text = parts.protocol;
    if (parts.host !== null) text += `//${this.#user()}${this.host}`;
    else if (!parts.opaque && parts.pathname.startsWith('//')) text += '/.';
    return text + parts.pathname + parts.search + parts.hash;
  }

  set href(value) {
    const parts = parse(`${value}`);
    if (parts === undefined) throw invalid(`${value}`);
    hidden.get(this).parts = parts;
    this.#refresh();
  }

  #user() {
    const { username, password } = hidden.get(this).parts;
    if (username === '' && password === '') return '';
    return `${username}${password === '' ? '' : `:${password}`}@`;
  }

  // refresh tells searchParams that the query changed.
  #refresh() {
    const own = hidden.get(this);
    if (own.params !== undefined) lists.get(own.params).splice(0, Infinity, ...parseQuery(own.parts.search.slice(1)));
  }

  get origin() {
    const { protocol } = hidden.get(this).parts;
    if (protocol === 'blob:') {
      const inner = parse(this.pathname);
      return inner && isSpecial(inner.protocol) ? new URL(this.pathname).origin : 'null';
    }
    return isSpecial(protocol) && protocol !== 'file:' ? `${protocol}//${this.host}` : 'null';
  }

  get protocol() {
    return hidden.get(this).parts.protocol;
  }

  set protocol(value) {
    const { parts } = hidden.get(this);
    const m = /^([A-Za-z][A-Za-z0-9+.-]*):?/.exec(`${value}`);
    if (m === null) return;
    const protocol = `${m[1].toLowerCase()}:`;
    if (isSpecial(protocol) !== isSpecial(parts.protocol)) return;
    parts.protocol = protocol;
    if (parts.port === special[protocol]) parts.port = '';
  }

  get host() {
    const { host, port } = hidden.get(this).parts;
    return port === '' ? host ?? '' : `${host}:${port}`;
  }

  set host(value) {
    const m = /^(\[[^\]]*\]|[^:/?#]*)(?::(\d+))?/.exec(`${value}`);
    this.hostname = m[1];
    if (m[2] !== undefined) this.port = m[2];
  }

  get hostname() {
    return hidden.get(this).parts.host ?? '';
  }

  set hostname(value) {
    const { parts } = hidden.get(this);
    if (parts.opaque) return;
    const host = hostOf(`${value}`.replace(/[/?#:].*$/, ''), parts.protocol);
    if (host !== undefined) parts.host = host;
  }

  get port() {
    return hidden.get(this).parts.port;
  }

  set port(value) {
    const { parts } = hidden.get(this);
    value = `${value}`;
    if (value === '') {
      parts.port = '';
      return;
    }
    const m = /^\d+/.exec(value);
    if (m === null || Number(m[0]) > 65535 || !parts.host) return;
    const port = `${Number(m[0])}`;
    parts.port = port === special[parts.protocol] ? '' : port;
  }

  get username() {
    return hidden.get(this).parts.username;
  }

  set username(value) {
    const { parts } = hidden.get(this);
    if (parts.host) parts.username = percent(`${value}`, inUser);
  }

  get password() {
    return hidden.get(this).parts.password;
  }

  set password(value) {
    const { parts } = hidden.get(this);
    if (parts.host) parts.password = percent(`${value}`, inUser);
  }

  get pathname() {
    return hidden.get(this).parts.pathname;
  }

  set pathname(value) {
    const { parts } = hidden.get(this);
    if (parts.opaque) return;
    value = `${value}`.replaceAll('?', '%3F').replaceAll('#', '%23');
    if (isSpecial(parts.protocol)) value = value.replaceAll('\\', '/');
    parts.pathname = value === '' && !isSpecial(parts.protocol) ? '' : pathOf(value.replace(/^\//, ''), parts.protocol === 'file:');
  }

  get search() {
    const { search } = hidden.get(this).parts;
    return search === '?' ? '' : search;
  }

  set search(value) {
    const { parts } = hidden.get(this);
    value = `${value}`.replace(/^\?/, '');
    parts.search = value === '' ? '' : `?${percent(value, isSpecial(parts.protocol) ? inSpecialQuery : inQuery)}`;
    this.#refresh();
  }

  get searchParams() {
    const own = hidden.get(this);
    if (own.params === undefined) {
      own.params = new URLSearchParams(own.parts.search);
      owners.set(own.params, (text) => {
        own.parts.search = text === '' ? '' : `?${text}`;
      });
    }
    return own.params;
  }

  get hash() {
    const { hash } = hidden.get(this).parts;
    return hash === '#' ? '' : hash;
  }

  set hash(value) {
    value = `${value}`.replace(/^#/, '');
    hidden.get(this).parts.hash = value === '' ? '' : `#${percent(value, inFragment)}`;
  }

  toString() {
    return this.href;
  }

  toJSON() {
    return this.href;
  }

  [inspect.custom](depth, options) {
    if (typeof depth === 'number' && depth < 0) return this;
    const shown = {};
    for (const name of ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'searchParams', 'hash']) {
      shown[name] = this[name];
    }
    return `${this.constructor.name} ${inspect(shown, options)}`;
  }
}
for (const name of ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'searchParams', 'hash',
  'toString', 'toJSON']) Object.defineProperty(URL.prototype, name, { enumerable: true });
Object.defineProperty(URL.prototype, Symbol.toStringTag, { value: 'URL', configurable: true });

const lists = new WeakMap();
const owners = new WeakMap();

function parseQuery(text) {
  if (text === '') return [];
  const plain = (piece) => {
    const spaced = piece.replaceAll('+', ' ');
    if (!spaced.includes('%')) return spaced;
    const { Buffer } = require('buffer');
    return Buffer.from(encode(spaced).reduce((out, b, i, all) => {
      if (out.skip > 0) out.skip--;
      else if (b === 37 && /^[0-9a-f]{2}$/i.test(String.fromCharCode(all[i + 1], all[i + 2]))) {
        out.bytes.push(parseInt(String.fromCharCode(all[i + 1], all[i + 2]), 16));
        out.skip = 2;
      } else out.bytes.push(b);
      return out;
    }, { bytes: [], skip: 0 }).bytes).toString();
  };
  return text.split('&').filter((part) => part !== '').map((part) => {
    const at = part.indexOf('=');
    return at < 0 ? [plain(part), ''] : [plain(part.slice(0, at)), plain(part.slice(at + 1))];
  });
}

const form = (text) => percent(text.toWellFormed(), /[^A-Za-z0-9*\-._ ]/gu).replaceAll(' ', '+');

class URLSearchParams {
  constructor(init) {
    let list = [];
    if (init === undefined || init === null) {
      // Nothing to begin with.
    } else if (typeof init === 'object' || typeof init === 'function') {
      const iterate = init[Symbol.iterator];
      if (iterate !== null && iterate !== undefined) {
        for (const pair of init) {
          if (pair === null || typeof pair !== 'object' || typeof pair[Symbol.iterator] !== 'function' || [...pair].length !== 2) {
            throw coded(TypeError, 'ERR_INVALID_TUPLE', 'Each query pair must be an iterable [name, value] tuple');
          }
          const [name, value] = pair;
          list.push([`${name}`, `${value}`]);
        }
      } else {
        list = Object.keys(init).map((name) => [name, `${init[name]}`]);
      }
    } else {
      list = parseQuery(`${init}`.replace(/^\?/, ''));
    }
    lists.set(this, list);
  }

  get size() {
    return lists.get(this).length;
  }

  append(name, value) {
    lists.get(this).push([`${name}`, `${value}`]);
    changed(this);
  }

  delete(name, value) {
    const list = lists.get(this);
    const left = list.filter((pair) => pair[0] !== `${name}` || (value !== undefined && pair[1] !== `${value}`));
    list.splice(0, Infinity, ...left);
    changed(this);
  }

  get(name) {
    return lists.get(this).find((pair) => pair[0] === `${name}`)?.[1] ?? null;
  }

  getAll(name) {
    return lists.get(this).filter((pair) => pair[0] === `${name}`).map((pair) => pair[1]);
  }

  has(name, value) {
    return lists.get(this).some((pair) => pair[0] === `${name}` && (value === undefined || pair[1] === `${value}`));
  }

  set(name, value) {
    const list = lists.get(this);
    const at = list.findIndex((pair) => pair[0] === `${name}`);
    if (at < 0) {
      list.push([`${name}`, `${value}`]);
    } else {
      list[at][1] = `${value}`;
      const left = list.filter((pair, i) => i <= at || pair[0] !== `${name}`);
      list.splice(0, Infinity, ...left);
    }
    changed(this);
  }

  sort() {
    lists.get(this).sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    changed(this);
  }

  forEach(fn, self) {
    if (typeof fn !== 'function') throw badType('callback', 'function', fn);
    for (const [name, value] of lists.get(this)) fn.call(self, value, name, this);
  }

  * entries() {
    for (const [name, value] of lists.get(this)) yield [name, value];
  }

  * keys() {
    for (const [name] of lists.get(this)) yield name;
  }

  * values() {
    for (const [, value] of lists.get(this)) yield value;
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  toString() {
    return lists.get(this).map(([name, value]) => `${form(name)}=${form(value)}`).join('&');
  }

  [inspect.custom](depth, options) {
    const list = lists.get(this).map(([name, value]) => `${inspect(name, options)} => ${inspect(value, options)}`);
    if (list.length === 0) return 'URLSearchParams {}';
    const line = `URLSearchParams { ${list.join(', ')} }`;
    return line.length <= (options.breakLength ?? 80) ? line : `URLSearchParams {\n  ${list.join(',\n  ')} }`;
  }
}
Object.defineProperty(URLSearchParams.prototype, Symbol.toStringTag, { value: 'URLSearchParams', configurable: true });

function changed(params) {
  owners.get(params)?.(params.toString());
}

function fileURLToPath(url) {
  if (typeof url === 'string') url = new URL(url);
  else if (url === null || typeof url !== 'object' || typeof url.href !== 'string') throw badType('path', ['string', 'URL'], url);
  if (url.protocol !== 'file:') throw coded(TypeError, 'ERR_INVALID_URL_SCHEME', 'The URL must be of scheme file');
  if (url.hostname !== '') throw coded(TypeError, 'ERR_INVALID_FILE_URL_HOST', 'File URL host must be "localhost" or empty on linux');
  if (/%2f/i.test(url.pathname)) throw coded(TypeError, 'ERR_INVALID_FILE_URL_PATH', 'File URL path must not include encoded / characters');
  return decodeURIComponent(url.pathname);
}

function pathToFileURL(path) {
  const paths = require('path');
  const full = paths.resolve(path) + (path.endsWith('/') && path !== '/' ? '/' : '');
  return new URL(`file://${full.replace(/[%\\\n\r\t?#]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)}`);
}

// The older interface of Node, on top of the newer.
function legacyParse(text, parseQueryString = false) {
  if (typeof text !== 'string') throw badType('url', 'string', text);
  const m = /^(?:([A-Za-z][\w+.-]*:))?(\/\/)?(?:([^@/?#]*)@)?([^/?#:]*)?(?::(\d+))?([^?#]*)(\?[^#]*)?(#.*)?$/.exec(text.trim());
  const hasHost = m[2] !== undefined;
  const found = Object.assign(Object.create({ constructor: Url }), {
    protocol: m[1]?.toLowerCase() ?? null, slashes: hasHost || null, auth: m[3] ? decodeURIComponent(m[3]) : null, host: null, port: null,
    hostname: null, hash: m[8] ?? null, search: m[7] ?? null, query: m[7]?.slice(1) ?? null, pathname: null, path: null, href: text,
  });
  if (hasHost) {
    found.hostname = (m[4] ?? '').toLowerCase();
    found.port = m[5] ?? null;
    found.host = found.hostname + (found.port === null ? '' : `:${found.port}`);
    found.pathname = m[6] || (isSpecial(found.protocol) ? '/' : null);
  } else {
    found.pathname = `${m[3] === undefined ? '' : `${m[3]}@`}${m[4] ?? ''}${m[5] === undefined ? '' : `:${m[5]}`}${m[6]}` || null;
    found.auth = null;
  }
  if (parseQueryString) {
    found.query = require('querystring').parse(found.query ?? '');
    found.search ??= '';
  }
  if (found.pathname !== null || found.search) found.path = (found.pathname ?? '') + (found.search ?? '');
  found.href = format(found);
  return Object.setPrototypeOf(found, Url.prototype);
}

function Url() {}

function format(url, options = {}) {
  if (url instanceof URL) {
    const copy = new URL(url.href);
    if (options.fragment === false) copy.hash = '';
    if (options.search === false) copy.search = '';
    if (options.auth === false) copy.username = copy.password = '';
    return copy.href;
  }
  if (typeof url === 'string') url = legacyParse(url);
  let protocol = url.protocol ?? '';
  if (protocol && !protocol.endsWith(':')) protocol += ':';
  let host = url.host ?? (url.hostname ? `${url.hostname}${url.port ? `:${url.port}` : ''}` : null);
  if (host !== null && url.auth) host = `${encodeURIComponent(url.auth).replace(/%3A/i, ':')}@${host}`;
  let search = url.search ?? '';
  if (!search && url.query !== null && typeof url.query === 'object') search = require('querystring').stringify(url.query);
  if (search && search[0] !== '?') search = `?${search}`;
  let path = url.pathname ?? '';
  if (host !== null || url.slashes) {
    host = `//${host ?? ''}`;
    if (path && path[0] !== '/') path = `/${path}`;
  }
  let hash = url.hash ?? '';
  if (hash && hash[0] !== '#') hash = `#${hash}`;
  return protocol + (host ?? '') + path.replace(/[?#]/g, encodeURIComponent) + search.replace('#', '%23') + hash;
}

module.exports = {
  URL, URLSearchParams, Url, fileURLToPath, pathToFileURL, format,
  parse: legacyParse,
  resolve: (from, to) => {
    const base = new URL(from, 'resolve://x/');
    const found = new URL(to, base);
    return found.protocol === 'resolve:' ? found.pathname + found.search + found.hash : found.href;
  },
  urlToHttpOptions: (url) => ({
    protocol: url.protocol, hostname: url.hostname, hash: url.hash, search: url.search, pathname: url.pathname, path: url.pathname + url.search,
    href: url.href, ...(url.port === '' ? {} : { port: Number(url.port) }),
  }),
  domainToASCII: (name) => hostOf(name, 'http:') ?? '',
  domainToUnicode: (name) => name,
};
});
