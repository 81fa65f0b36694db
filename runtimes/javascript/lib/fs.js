__define('fs', (module, exports, require) => {
'use strict';
const p = require('internal/primordials');
const { host } = p;
const { coded, badType, badValue, outOfRange, needFunction, system, unavailable } = require('internal/errors');
const files = require('internal/files');
const paths = require('path');
const { decode } = require('internal/encoding');
const { complete } = require('internal/loop');
const { Buffer } = require('buffer');

// nameOf returns a path as text: it may be a Buffer or a file URL.
function nameOf(path, name = 'path') {
  if (typeof path === 'string') {
    if (path.includes('\0')) throw badValue(name, path, 'must be a string, Uint8Array, or URL without null bytes');
    return path;
  }
  if (path instanceof Uint8Array) return decode(path);
  if (path !== null && typeof path === 'object' && typeof path.href === 'string') return require('url').fileURLToPath(path);
  throw badType(name, ['string', 'Buffer', 'URL'], path);
}

// ask is a host operation on a path; its error says which call and which path.
function ask(op, path, args, syscall = op) {
  try {
    return host(op, { path: paths.resolve(path), ...args });
  } catch (e) {
    throw system(e.code, syscall, path);
  }
}

function askDescriptor(op, fd, args, syscall = op, bytes) {
  if (typeof fd !== 'number') throw badType('fd', 'number', fd);
  if (!Number.isInteger(fd) || fd < 0) throw outOfRange('fd', '>= 0 && <= 2147483647', fd);
  try {
    return host(op, { fd, ...args }, bytes);
  } catch (e) {
    throw system(e.code, syscall);
  }
}

function optionsOf(options, defaults = {}) {
  if (options === undefined || options === null || typeof options === 'function') return defaults;
  if (typeof options === 'string') return { ...defaults, encoding: options };
  if (typeof options !== 'object') throw badType('options', ['string', 'Object'], options);
  return { ...defaults, ...options };
}

function encoded(bytes, encoding) {
  if (encoding === undefined || encoding === null || encoding === 'buffer') return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!Buffer.isEncoding(encoding)) throw badValue('encoding', encoding, 'is invalid encoding');
  if (/^utf-?8$/i.test(encoding)) return decode(bytes);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(encoding);
}

function bytesOf(data, encoding, name = 'data') {
  if (typeof data === 'string') return Buffer.from(data, encoding ?? 'utf8');
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  throw badType(name, ['string', 'Buffer', 'TypedArray', 'DataView'], data);
}

const flagNames = { 'rs': 'r', 'sr': 'r', 'rs+': 'r+', 'sr+': 'r+', 'as': 'a', 'sa': 'a', 'as+': 'a+', 'sa+': 'a+', 'xw': 'wx', 'xa': 'ax', 'xw+': 'wx+', 'xa+': 'ax+' };
const constants = {
  F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1, COPYFILE_EXCL: 1, COPYFILE_FICLONE: 2, COPYFILE_FICLONE_FORCE: 4, O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2,
  O_CREAT: 64, O_EXCL: 128, O_TRUNC: 512, O_APPEND: 1024, O_SYNC: 1052672, S_IFMT: 61440, S_IFREG: 32768, S_IFDIR: 16384, S_IFCHR: 8192,
  S_IFBLK: 24576, S_IFIFO: 4096, S_IFLNK: 40960, S_IFSOCK: 49152, S_IRWXU: 448, S_IRUSR: 256, S_IWUSR: 128, S_IXUSR: 64,
};

function flagsOf(flags) {
  if (typeof flags === 'number') {
    const access = flags & 3;
    const exclusive = flags & 128 ? 'x' : '';
    if (flags & 1024) return `a${exclusive}${access === 2 ? '+' : ''}`;
    if (flags & 512 || (flags & 64 && exclusive)) return `w${exclusive}${access === 2 ? '+' : ''}`;
    if (flags & 64) return `a${access === 2 ? '+' : ''}`;
    return access === 0 ? 'r' : 'r+';
  }
  const text = flagNames[flags] ?? flags;
  if (!/^(?:r\+?|[wa]x?\+?)$/.test(text)) throw badValue('flags', flags);
  return text;
}

class Stats {
  constructor(found, big) {
    const number = (n) => (big ? BigInt(Math.trunc(n)) : n);
    const mode = found.mode & 0o7777;
    const kinds = { file: 0o100000, directory: 0o040000, link: 0o120000 };
    this.dev = number(1);
    this.mode = number((kinds[found.kind] ?? 0) | (mode || (found.kind === 'directory' ? 0o755 : 0o644)));
    this.nlink = number(1);
    this.uid = number(1000);
    this.gid = number(1000);
    this.rdev = number(0);
    this.blksize = number(4096);
    this.ino = number(found.ino ?? 0);
    this.size = number(found.size);
    this.blocks = number(Math.ceil(found.size / 512));
    this.atimeMs = number(found.atimeMs);
    this.mtimeMs = number(found.mtimeMs);
    this.ctimeMs = number(found.ctimeMs ?? found.mtimeMs);
    this.birthtimeMs = number(found.ctimeMs ?? found.mtimeMs);
    for (const name of ['atime', 'mtime', 'ctime', 'birthtime']) this[name] = new Date(Math.round(Number(this[`${name}Ms`])));
  }

  isDirectory() {
    return (Number(this.mode) & 0o170000) === 0o040000;
  }

  isFile() {
    return (Number(this.mode) & 0o170000) === 0o100000;
  }

  isSymbolicLink() {
    return (Number(this.mode) & 0o170000) === 0o120000;
  }

  isBlockDevice() {
    return false;
  }

  isCharacterDevice() {
    return false;
  }

  isFIFO() {
    return false;
  }

  isSocket() {
    return false;
  }
}

const kKind = Symbol('kind');

class Dirent {
  constructor(name, parentPath, kind) {
    this.name = name;
    this.parentPath = parentPath;
    this.path = parentPath;
    Object.defineProperty(this, kKind, { value: kind });
  }

  isDirectory() {
    return this[kKind] === 'directory';
  }

  isFile() {
    return this[kKind] === 'file';
  }

  isSymbolicLink() {
    return this[kKind] === 'link';
  }

  isBlockDevice() {
    return false;
  }

  isCharacterDevice() {
    return false;
  }

  isFIFO() {
    return false;
  }

  isSocket() {
    return false;
  }
}

const noLinks = () => {
  throw unavailable('links cannot be made in a sandbox: copy the file with fs.copyFileSync() instead');
};
const noWatching = () => {
  throw unavailable('files cannot be watched in a sandbox: nothing changes them but the program itself');
};

function infoOf(op, path, options) {
  const { bigint = false, throwIfNoEntry = true } = options ?? {};
  path = nameOf(path);
  try {
    return new Stats(ask(op, path), bigint);
  } catch (e) {
    if (!throwIfNoEntry && (e.code === 'ENOENT' || e.code === 'ENOTDIR')) return undefined;
    throw e;
  }
}

function listed(path, syscall = 'scandir') {
  const { entries } = ask('readdir', path, undefined, syscall);
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

const sync = {
  open(path, flags = 'r', mode) {
    path = nameOf(path);
    return ask('open', path, { flags: flagsOf(flags) }).fd;
  },
  close(fd) {
    askDescriptor('close', fd);
  },
  read(fd, buffer, offset, length, position) {
    if (offset !== null && typeof offset === 'object') ({ offset, length, position } = offset);
    if (!ArrayBuffer.isView(buffer)) throw badType('buffer', ['Buffer', 'TypedArray', 'DataView'], buffer);
    offset ??= 0;
    length ??= buffer.byteLength - offset;
    if (offset + length > buffer.byteLength) throw outOfRange('length', `<= ${buffer.byteLength - offset}`, length);
    if (length === 0) return 0;
    const args = { length: Math.min(length, files.chunk) };
    if (position !== null && position !== undefined && position !== -1) args.position = Number(position);
    const bytes = new Uint8Array((fd === 0 ? host('read_stdin', args) : askDescriptor('read', fd, args)).bytes);
    new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length).set(bytes);
    return bytes.length;
  },
  write(fd, data, offset, length, position) {
    let bytes;
    if (typeof data === 'string') {
      position = offset;
      bytes = bytesOf(data, length);
    } else {
      if (offset !== null && typeof offset === 'object') ({ offset, length, position } = offset);
      bytes = bytesOf(data, undefined, 'buffer');
      offset ??= 0;
      bytes = bytes.subarray(offset, offset + (length ?? bytes.length - offset));
    }
    return writeAll(fd, bytes, typeof position === 'number' || typeof position === 'bigint' ? Number(position) : undefined);
  },
  readv: (fd, buffers, position) => buffers.reduce((n, b) => n + sync.read(fd, b, 0, b.byteLength, position == null ? null : position + n), 0),
  writev: (fd, buffers, position) => buffers.reduce((n, b) => n + sync.write(fd, b, 0, b.byteLength, position == null ? null : position + n), 0),
  readFile(path, options) {
    const { encoding, flag = 'r' } = optionsOf(options);
    if (typeof path === 'number') {
      if (path === 0) return encoded(files.readDescriptor(0), encoding);
      return encoded(withErrors('read', undefined, () => files.readDescriptor(path)), encoding);
    }
    path = nameOf(path);
    if (/^\/dev\/(?:stdin|fd\/0)$/.test(path)) return encoded(files.readDescriptor(0), encoding);
    const fd = sync.open(path, flag);
    try {
      return encoded(withErrors('read', undefined, () => files.readDescriptor(fd)), encoding);
    } finally {
      host('close', { fd });
    }
  },
  writeFile(path, data, options) {
    const { encoding, flag = 'w' } = optionsOf(options);
    const bytes = bytesOf(data, encoding);
    if (typeof path === 'number') {
      writeAll(path, bytes);
      return;
    }
    path = nameOf(path);
    if (path === '/dev/stdout' || path === '/dev/stderr') {
      writeAll(path === '/dev/stdout' ? 1 : 2, bytes);
      return;
    }
    const fd = sync.open(path, flag);
    try {
      writeAll(fd, bytes);
    } finally {
      host('close', { fd });
    }
  },
  appendFile(path, data, options) {
    sync.writeFile(path, data, optionsOf(options, { flag: 'a' }));
  },
  exists(path) {
    try {
      host('stat', { path: paths.resolve(nameOf(path)) });
      return true;
    } catch {
      return false;
    }
  },
  access(path, mode = 0) {
    path = nameOf(path);
    ask('stat', path, undefined, 'access');
  },
  stat: (path, options) => infoOf('stat', path, options),
  lstat: (path, options) => infoOf('lstat', path, options),
  fstat: (fd, options) => (fd <= 2
    ? new Stats({ kind: 'file', size: 0, mode: 0o620, mtimeMs: 0, atimeMs: 0 }, options?.bigint)
    : new Stats(askDescriptor('fstat', fd), options?.bigint)),
  readdir(path, options) {
    const { withFileTypes = false, recursive = false, encoding } = optionsOf(options);
    path = nameOf(path);
    const found = [];
    const walk = (folder, prefix) => {
      const below = [];
      for (const { name, kind } of listed(folder)) {
        const relative = prefix === '' ? name : `${prefix}/${name}`;
        found.push(withFileTypes ? new Dirent(name, folder, kind) : encoding === 'buffer' ? Buffer.from(relative) : relative);
        if (recursive && kind === 'directory') below.push([paths.join(folder, name), relative]);
      }
      for (const [next, relative] of below) walk(next, relative);
    };
    walk(path, '');
    return found;
  },
  mkdir(path, options) {
    const { recursive = false } = typeof options === 'object' && options !== null ? options : {};
    path = nameOf(path);
    if (!recursive) {
      ask('mkdir', path);
      return undefined;
    }
    const full = paths.resolve(path);
    const missing = [];
    for (let at = full; ; at = paths.dirname(at)) {
      const kind = files.kindOf(at);
      if (kind === 'directory') break;
      if (kind !== undefined) throw system(at === full ? 'EEXIST' : 'ENOTDIR', 'mkdir', path);
      missing.push(at);
      if (at === '/') break;
    }
    for (let i = missing.length - 1; i >= 0; i--) {
      try {
        ask('mkdir', missing[i]);
      } catch (e) {
        if (e.code !== 'EEXIST') throw system(e.code, 'mkdir', path);
      }
    }
    return missing.at(-1);
  },
  mkdtemp(prefix, options) {
    prefix = nameOf(prefix, 'prefix');
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
    for (let tries = 0; ; tries++) {
      const bytes = new Uint8Array(host('random', { length: 6 }).bytes);
      const path = prefix + Array.from(bytes, (b) => letters[b % 62]).join('');
      try {
        ask('mkdir', path, undefined, 'mkdtemp');
        return path;
      } catch (e) {
        if (e.code !== 'EEXIST' || tries > 20) throw e;
      }
    }
  },
  rmdir(path, options) {
    path = nameOf(path);
    if (options?.recursive) {
      sync.rm(path, { recursive: true, force: false });
      return;
    }
    ask('rmdir', path);
  },
  unlink(path) {
    ask('unlink', nameOf(path));
  },
  rm(path, options) {
    const { recursive = false, force = false } = options ?? {};
    path = nameOf(path);
    let kind;
    try {
      ({ kind } = ask('lstat', path, undefined, 'rm'));
    } catch (e) {
      if (force && (e.code === 'ENOENT' || e.code === 'ENOTDIR')) return;
      throw e;
    }
    if (kind !== 'directory') {
      ask('unlink', path, undefined, 'rm');
      return;
    }
    if (!recursive) {
      const error = coded(Error, 'ERR_FS_EISDIR', `Path is a directory: rm returned EISDIR (is a directory) ${path}`);
      error.name = 'SystemError';
      throw error;
    }
    const remove = (folder) => {
      for (const entry of listed(folder, 'rm')) {
        const at = paths.join(folder, entry.name);
        if (entry.kind === 'directory') remove(at);
        else ask('unlink', at, undefined, 'rm');
      }
      ask('rmdir', folder, undefined, 'rm');
    };
    remove(path);
  },
  rename(from, to) {
    from = nameOf(from, 'oldPath');
    to = nameOf(to, 'newPath');
    try {
      host('rename', { from: paths.resolve(from), to: paths.resolve(to) });
    } catch (e) {
      throw system(e.code, 'rename', from, to);
    }
  },
  copyFile(from, to, mode = 0) {
    from = nameOf(from, 'src');
    to = nameOf(to, 'dest');
    let input;
    let output;
    try {
      input = host('open', { path: paths.resolve(from), flags: 'r' }).fd;
      if (host('fstat', { fd: input }).kind === 'directory') throw system('EISDIR', 'copyfile', from, to);
      output = host('open', { path: paths.resolve(to), flags: mode & 1 ? 'wx' : 'w' }).fd;
      for (;;) {
        const { bytes } = host('read', { fd: input, length: files.chunk });
        if (bytes.byteLength === 0) break;
        writeAll(output, new Uint8Array(bytes));
      }
    } catch (e) {
      throw system(e.code, 'copyfile', from, to);
    } finally {
      if (input !== undefined) host('close', { fd: input });
      if (output !== undefined) host('close', { fd: output });
    }
  },
  cp(from, to, options = {}) {
    from = nameOf(from, 'src');
    to = nameOf(to, 'dest');
    const { recursive = false, force = true, errorOnExist = false, filter } = options;
    const copy = (a, b) => {
      if (filter !== undefined && !filter(a, b)) return;
      if (ask('stat', a, undefined, 'cp').kind !== 'directory') {
        if (files.kindOf(paths.resolve(b)) !== undefined && !force) {
          if (errorOnExist) throw coded(Error, 'ERR_FS_CP_EEXIST', `Target already exists: cp returned EEXIST (${b} already exists) ${b}`);
          return;
        }
        sync.mkdir(paths.dirname(b), { recursive: true });
        sync.copyFile(a, b);
        return;
      }
      if (!recursive) throw coded(Error, 'ERR_FS_EISDIR', `Recursive option not enabled, cannot copy a directory: cp returned EISDIR (${a} is a directory (not copied)) ${a}`);
      sync.mkdir(b, { recursive: true });
      for (const { name } of listed(a)) copy(paths.join(a, name), paths.join(b, name));
    };
    copy(from, to);
  },
  truncate(path, size = 0) {
    if (typeof path === 'number') sync.ftruncate(path, size);
    else ask('truncate', nameOf(path), { size: size ?? 0 }, 'open');
  },
  ftruncate(fd, size = 0) {
    askDescriptor('truncate', fd, { size: size ?? 0 }, 'ftruncate');
  },
  utimes(path, atime, mtime) {
    ask('utimes', nameOf(path), { atimeMs: millisecondsOf(atime), mtimeMs: millisecondsOf(mtime) }, 'utime');
  },
  lutimes: (path, atime, mtime) => sync.utimes(path, atime, mtime),
  realpath(path, options) {
    path = nameOf(path);
    ask('stat', path, undefined, 'lstat');
    return paths.resolve(path);
  },
  readlink(path) {
    path = nameOf(path);
    ask('lstat', path, undefined, 'readlink');
    throw system('EINVAL', 'readlink', path);
  },
  chmod(path) {
    ask('stat', nameOf(path), undefined, 'chmod');
  },
  chown(path) {
    ask('stat', nameOf(path), undefined, 'chown');
  },
  lchown: (path) => sync.chown(path),
  fchmod: (fd) => void sync.fstat(fd),
  fchown: (fd) => void sync.fstat(fd),
  futimes: (fd) => void sync.fstat(fd),
  fsync: (fd) => void sync.fstat(fd),
  fdatasync: (fd) => void sync.fstat(fd),
  link: noLinks,
  symlink: noLinks,
  statfs: () => ({ type: 0, bsize: 4096, blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0 }),
  opendir: (path) => new Dir(nameOf(path)),
};

function millisecondsOf(time) {
  if (typeof time === 'number') return time * 1000;
  if (typeof time === 'string') return Number(time) * 1000;
  return time.getTime();
}

function withErrors(syscall, path, body) {
  try {
    return body();
  } catch (e) {
    throw system(e.code, syscall, path);
  }
}

function writeAll(fd, bytes, position) {
  if (fd === 1 || fd === 2) {
    host('write', { fd }, bytes);
    return bytes.length;
  }
  let done = 0;
  while (done < bytes.length || (bytes.length === 0 && done === 0)) {
    const args = position === undefined ? {} : { position: position + done };
    const part = bytes.length - done > files.chunk ? bytes.subarray(done, done + files.chunk) : bytes.subarray(done);
    const { written } = askDescriptor('pwrite', fd, args, 'write', part);
    if (bytes.length === 0) break;
    done += written;
  }
  return done;
}

class Dir {
  #entries;

  constructor(path) {
    this.path = path;
    this.#entries = sync.readdir(path, { withFileTypes: true });
  }

  readSync() {
    return this.#entries.shift() ?? null;
  }

  async read() {
    return this.readSync();
  }

  closeSync() {}

  async close() {}

  async* [Symbol.asyncIterator]() {
    for (let entry = this.readSync(); entry !== null; entry = this.readSync()) yield entry;
  }
}

// --- promises and callbacks, both made from the calls that wait

// later runs body as an asynchronous operation does: now, with its outcome known
// to the program in a later turn of the event loop.
function later(body) {
  return new Promise((resolve, reject) => {
    complete(() => {
      let value;
      try {
        value = body();
      } catch (e) {
        reject(e);
        return;
      }
      resolve(value);
    });
  });
}

const checked = ['readFile', 'writeFile', 'appendFile', 'open'];

const fs = { constants, Stats, Dirent, Dir };
const promises = { constants };
for (const name of Object.keys(sync)) {
  Object.defineProperty(sync[name], 'name', { value: `${name}Sync` });
  fs[`${name}Sync`] = sync[name];
  if (name === 'exists') continue;
  const callbackForm = (...args) => {
    const callback = args.pop();
    needFunction(callback, 'cb');
    if (checked.includes(name) && typeof args[0] !== 'number') nameOf(args[0]);
    complete(() => {
      let value;
      try {
        value = sync[name](...args);
      } catch (e) {
        callback(e);
        return;
      }
      if (name === 'read' || name === 'write') callback(null, value, args[1]);
      else if (value === undefined) callback(null);
      else callback(null, value);
    });
  };
  Object.defineProperty(callbackForm, 'name', { value: name });
  fs[name] = callbackForm;
  promises[name] = async (...args) => {
    if (args[0] instanceof FileHandle) args[0] = args[0].fd;
    return later(() => sync[name](...args));
  };
  Object.defineProperty(promises[name], 'name', { value: name });
}
fs.exists = (path, callback) => {
  needFunction(callback, 'cb');
  complete(() => callback(sync.exists(path)));
};
fs.exists[Symbol.for('nodejs.util.promisify.custom')] = (path) => later(() => sync.exists(path));
fs.read[Symbol.for('nodejs.util.promisify.custom')] = (fd, buffer, ...rest) => later(() => ({ bytesRead: sync.read(fd, buffer, ...rest), buffer }));
fs.write[Symbol.for('nodejs.util.promisify.custom')] = (fd, buffer, ...rest) => later(() => ({ bytesWritten: sync.write(fd, buffer, ...rest), buffer }));
for (const name of ['read', 'write', 'close', 'fstat', 'ftruncate', 'fsync', 'fdatasync', 'fchmod', 'fchown', 'futimes', 'readv', 'writev']) delete promises[name];

class FileHandle {
  constructor(fd) {
    this.fd = fd;
  }

  read(buffer, ...rest) {
    if (!ArrayBuffer.isView(buffer)) {
      const { buffer: own = Buffer.alloc(16384), offset, length, position } = buffer ?? {};
      return later(() => ({ bytesRead: sync.read(this.fd, own, offset, length, position), buffer: own }));
    }
    return later(() => ({ bytesRead: sync.read(this.fd, buffer, ...rest), buffer }));
  }

  write(data, ...rest) {
    return later(() => ({ bytesWritten: sync.write(this.fd, data, ...rest), buffer: data }));
  }

  readFile(options) {
    return later(() => sync.readFile(this.fd, options));
  }

  writeFile(data, options) {
    return later(() => sync.writeFile(this.fd, data, options));
  }

  appendFile(data, options) {
    return this.writeFile(data, options);
  }

  stat(options) {
    return later(() => sync.fstat(this.fd, options));
  }

  truncate(size) {
    return later(() => sync.ftruncate(this.fd, size));
  }

  async sync() {}

  async datasync() {}

  async close() {
    const { fd } = this;
    if (fd < 0) return;
    this.fd = -1;
    await later(() => sync.close(fd));
  }

  createReadStream(options) {
    return fs.createReadStream(null, { ...options, fd: this.fd });
  }

  createWriteStream(options) {
    return fs.createWriteStream(null, { ...options, fd: this.fd });
  }

  readLines(options) {
    return require('readline').createInterface({ input: this.createReadStream(options), crlfDelay: Infinity });
  }

  async [Symbol.asyncDispose ?? Symbol('asyncDispose')]() {
    await this.close();
  }
}
promises.open = (path, flags, mode) => later(() => new FileHandle(sync.open(path, flags, mode)));
promises.watch = noWatching;
promises.glob = async function* (pattern, options) {
  yield* fs.globSync(pattern, options);
};
fs.globSync = (pattern, options = {}) => {
  const cwd = options.cwd ?? '.';
  const all = sync.readdir(cwd, { recursive: true });
  const list = (Array.isArray(pattern) ? pattern : [pattern]).map(globToRegExp);
  return all.filter((name) => list.some((re) => re.test(name)));
};

// globToRegExp knows *, **, ?, [...] and {a,b}.
function globToRegExp(glob) {
  let source = '';
  for (let i = 0; i < glob.length; i++) {
    const c = glob[i];
    if (c === '*' && glob[i + 1] === '*') {
      i++;
      if (glob[i + 1] === '/') {
        i++;
        source += '(?:[^/]+/)*';
      } else {
        source += '.*';
      }
    } else if (c === '*') source += '[^/]*';
    else if (c === '?') source += '[^/]';
    else if (c === '{') source += '(?:';
    else if (c === '}') source += ')';
    else if (c === ',') source += '|';
    else if (c === '[') source += glob[i + 1] === '!' ? (i++, '[^') : '[';
    else if (c === ']') source += ']';
    else source += c.replace(/[\\^$.+()|]/g, '\\$&');
  }
  return new RegExp(`^(?:${source.replace(/^\.\//, '')})$`);
}

fs.watch = fs.watchFile = noWatching;
fs.unwatchFile = () => {};
fs.realpath.native = fs.realpath;
fs.realpathSync.native = fs.realpathSync;
fs.accessSync = sync.access;
fs.createReadStream = (path, options) => require('internal/filestreams').createReadStream(fs, path, optionsOf(options));
fs.createWriteStream = (path, options) => require('internal/filestreams').createWriteStream(fs, path, optionsOf(options));
fs.openAsBlob = async (path) => new (require('buffer').Blob)([sync.readFile(path)]);
for (const name of ['F_OK', 'R_OK', 'W_OK', 'X_OK']) fs[name] = constants[name];
for (const name of ['ReadStream', 'WriteStream']) {
  Object.defineProperty(fs, name, { enumerable: true, get: () => require('internal/filestreams')[name] });
}
fs.promises = promises;
module.exports = fs;
});

__define('fs/promises', (module, exports, require) => {
module.exports = require('fs').promises;
});
