__define('stream', (module, exports, require) => {
'use strict';
const EventEmitter = require('events');
const { Buffer } = require('buffer');
const { coded, badType } = require('internal/errors');
const { nextTick } = require('internal/loop');

class Stream extends EventEmitter {
  pipe(target, options) {
    return pipe(this, target, options);
  }
}

function defaultHighWaterMark(objectMode) {
  return objectMode ? 16 : 65536;
}

function abortError(cause) {
  const error = new Error('The operation was aborted', cause === undefined ? undefined : { cause });
  error.name = 'AbortError';
  error.code = 'ABORT_ERR';
  return error;
}

// destroyed ends a stream early; 'error' and 'close' follow in a later tick.
function destroy(stream, error) {
  if (stream.destroyed) return stream;
  stream.destroyed = true;
  if (error) stream.errored = error;
  const finish = (failure) => {
    const reason = failure ?? error;
    nextTick(() => {
      if (reason) {
        stream.errored = reason;
        stream.emit('error', reason);
      }
      stream.closed = true;
      if (stream.emitClose !== false) stream.emit('close');
    });
  };
  try {
    stream._destroy(error ?? null, finish);
  } catch (e) {
    finish(e);
  }
  return stream;
}

const shared = {
  destroy(error) {
    return destroy(this, error);
  },
  _destroy(error, callback) {
    callback(error);
  },
  addAbortSignal(signal) {
    const abort = () => this.destroy(abortError(signal.reason));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  },
};

function initReadable(stream, options) {
  const mode = Boolean(options.objectMode || options.readableObjectMode);
  Object.defineProperty(stream, '_readableState', {
    value: {
      objectMode: mode, buffer: [], length: 0, flowing: null, ended: false, endEmitted: false, reading: false, scheduled: false, needReadable: false,
      highWaterMark: options.readableHighWaterMark ?? options.highWaterMark ?? defaultHighWaterMark(mode), decoder: null, pipes: [], resuming: false,
      encoding: null,
    },
    writable: true, configurable: true,
  });
  stream.destroyed = false;
  stream.closed = false;
  stream.errored = null;
  stream.emitClose = options.emitClose;
  stream.autoDestroy = options.autoDestroy ?? true;
  if (options.encoding) stream.setEncoding(options.encoding);
  if (typeof options.read === 'function') stream._read = options.read;
  if (typeof options.destroy === 'function') stream._destroy = options.destroy;
  if (options.signal) stream.addAbortSignal(options.signal);
}

class Readable extends Stream {
  constructor(options = {}) {
    super();
    initReadable(this, options);
    construct(this, options);
  }
}

// construct calls the option "construct" before anything else happens.
function construct(stream, options) {
  if (typeof options.construct !== 'function') return;
  options.construct.call(stream, (error) => {
    if (error) destroy(stream, error);
  });
}

const readable = {
  ...shared,
  _read() {
    throw coded(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'The _read() method is not implemented');
  },
  push(chunk, encoding) {
    return add(this, chunk, encoding, false);
  },
  unshift(chunk, encoding) {
    return add(this, chunk, encoding, true);
  },
  setEncoding(encoding) {
    const { StringDecoder } = require('string_decoder');
    const state = this._readableState;
    state.decoder = new StringDecoder(encoding);
    state.encoding = encoding;
    const text = state.buffer.map((chunk) => state.decoder.write(chunk)).join('');
    state.buffer = text === '' ? [] : [text];
    state.length = text.length;
    return this;
  },
  read(n) {
    const state = this._readableState;
    if (n === 0) {
      fillUp(this);
      return null;
    }
    if (state.buffer.length === 0) {
      if (state.ended) endReadable(this);
      else fillUp(this);
      if (state.buffer.length === 0) {
        state.needReadable = true;
        return null;
      }
    }
    let chunk;
    if (state.objectMode) {
      chunk = state.buffer.shift();
      state.length--;
    } else if (n === undefined || n === null || n >= state.length) {
      if (n > state.length && !state.ended) {
        state.needReadable = true;
        fillUp(this);
        return null;
      }
      if (state.flowing) {
        chunk = state.buffer.shift();
      } else {
        chunk = joined(state);
        state.buffer = [];
      }
      state.length -= chunk.length;
    } else {
      const whole = joined(state);
      chunk = whole.slice(0, n);
      state.buffer = [whole.slice(n)];
      state.length = state.buffer[0].length;
    }
    if (state.ended && state.length === 0) endReadable(this);
    else if (!state.ended && state.length < state.highWaterMark) fillUp(this);
    if (chunk !== null) this.emit('data', chunk);
    return chunk;
  },
  pause() {
    this._readableState.flowing = false;
    this.emit('pause');
    return this;
  },
  resume() {
    const state = this._readableState;
    if (state.flowing !== true) {
      state.flowing = true;
      this.emit('resume');
      schedule(this);
    }
    return this;
  },
  isPaused() {
    return this._readableState.flowing === false;
  },
  on(name, listener) {
    Stream.prototype.on.call(this, name, listener);
    const state = this._readableState;
    if (name === 'data' && state.flowing !== false) this.resume();
    else if (name === 'readable') {
      state.flowing = state.flowing === true ? false : state.flowing ?? false;
      state.needReadable = true;
      if (state.length > 0 || state.ended) emitReadable(this);
      else nextTick(() => fillUp(this));
    }
    return this;
  },
  pipe(target, options) {
    return pipe(this, target, options);
  },
  unpipe(target) {
    const state = this._readableState;
    for (const one of [...state.pipes]) {
      if (target !== undefined && one.target !== target) continue;
      one.undo();
      state.pipes.splice(state.pipes.indexOf(one), 1);
      one.target.emit('unpipe', this);
    }
    if (state.pipes.length === 0) this.pause();
    return this;
  },
  wrap(old) {
    old.on('data', (chunk) => {
      if (!this.push(chunk)) old.pause?.();
    });
    old.on('end', () => this.push(null));
    old.on('error', (error) => this.destroy(error));
    this._read = () => old.resume?.();
    return this;
  },
  [Symbol.asyncIterator]() {
    return iterate(this);
  },
  iterator() {
    return iterate(this);
  },
};
readable.addListener = readable.on;

async function* iterate(stream) {
  let wake;
  let failure;
  const signal = () => wake?.();
  const fail = (error) => {
    failure = error ?? abortError();
    signal();
  };
  stream.on('readable', signal);
  stream.on('end', signal);
  stream.on('close', signal);
  stream.on('error', fail);
  try {
    for (;;) {
      const chunk = stream.destroyed ? null : stream.read();
      if (chunk !== null) {
        yield chunk;
        continue;
      }
      if (failure !== undefined) throw failure;
      if (stream._readableState.endEmitted || stream.closed) {
        if (!stream._readableState.endEmitted && !stream.errored) throw coded(Error, 'ERR_STREAM_PREMATURE_CLOSE', 'Premature close');
        return;
      }
      await new Promise((resolve) => {
        wake = resolve;
      });
      wake = undefined;
    }
  } finally {
    if (failure === undefined && !stream._readableState.endEmitted) destroy(stream);
    stream.removeListener('error', fail);
    if (!stream._readableState.endEmitted) stream.on('error', () => {});
  }
}

function joined(state) {
  if (state.buffer.length === 1) return state.buffer[0];
  return state.decoder !== null ? state.buffer.join('') : Buffer.concat(state.buffer);
}

function add(stream, chunk, encoding, front) {
  const state = stream._readableState;
  state.reading = false;
  if (chunk === null) {
    if (state.ended) return false;
    state.ended = true;
    const rest = state.decoder?.end();
    if (rest) {
      state.buffer.push(rest);
      state.length += rest.length;
    }
    emitReadable(stream);
    schedule(stream);
    return false;
  }
  if (!state.objectMode) {
    if (typeof chunk === 'string') {
      if (state.decoder === null || (encoding !== undefined && encoding !== state.encoding)) chunk = Buffer.from(chunk, encoding);
    } else if (chunk instanceof Uint8Array) {
      if (!Buffer.isBuffer(chunk)) chunk = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    } else {
      const error = badType('chunk', ['string', 'Buffer', 'Uint8Array'], chunk);
      destroy(stream, error);
      return false;
    }
    if (state.decoder !== null && typeof chunk !== 'string') chunk = state.decoder.write(chunk);
    if (chunk.length === 0) {
      schedule(stream);
      return state.length < state.highWaterMark;
    }
  }
  if (state.ended && !front) {
    destroy(stream, coded(Error, 'ERR_STREAM_PUSH_AFTER_EOF', 'stream.push() after EOF'));
    return false;
  }
  if (front) state.buffer.unshift(chunk);
  else state.buffer.push(chunk);
  state.length += state.objectMode ? 1 : chunk.length;
  emitReadable(stream);
  schedule(stream);
  return state.length < state.highWaterMark;
}

function fillUp(stream) {
  const state = stream._readableState;
  if (state.reading || state.ended || stream.destroyed) return;
  state.reading = true;
  try {
    stream._read(state.highWaterMark);
  } catch (e) {
    destroy(stream, e);
  }
}

function emitReadable(stream) {
  const state = stream._readableState;
  if (state.emitting || (stream.listenerCount('readable') === 0 && !state.ended)) return;
  state.emitting = true;
  nextTick(() => {
    state.emitting = false;
    if (stream.destroyed) return;
    if (stream.listenerCount('readable') > 0 && (state.length > 0 || state.ended)) stream.emit('readable');
    if (state.ended && state.length === 0 && stream.listenerCount('readable') > 0) endReadable(stream);
    if (state.length === 0 && !state.ended && stream.listenerCount('readable') > 0) fillUp(stream);
  });
}

// schedule lets a flowing stream flow in a later tick.
function schedule(stream) {
  const state = stream._readableState;
  if (state.scheduled || state.flowing !== true) return;
  state.scheduled = true;
  nextTick(() => {
    state.scheduled = false;
    flow(stream);
  });
}

function flow(stream) {
  const state = stream._readableState;
  while (state.flowing === true && !stream.destroyed) {
    if (state.buffer.length === 0) {
      if (state.ended) endReadable(stream);
      else fillUp(stream);
      if (state.buffer.length === 0) return;
    }
    stream.read();
  }
}

function endReadable(stream) {
  const state = stream._readableState;
  if (state.endEmitted || state.ending || state.length > 0) return;
  state.ending = true;
  nextTick(() => {
    if (stream.errored || state.endEmitted) return;
    state.endEmitted = true;
    stream.emit('end');
    if (stream._writableState !== undefined) {
      if (stream.allowHalfOpen === false) stream.end();
      if (stream.autoDestroy && stream._writableState.finished) destroy(stream);
    } else if (stream.autoDestroy) {
      destroy(stream);
    }
  });
}

function pipe(source, target, { end = true } = {}) {
  const onData = (chunk) => {
    if (target.write(chunk) === false) source.pause();
  };
  const onDrain = () => source.resume();
  const onEnd = () => target.end();
  source.on('data', onData);
  target.on('drain', onDrain);
  if (end && !target._isStdio) source.on('end', onEnd);
  source._readableState?.pipes.push({
    target,
    undo() {
      source.removeListener('data', onData);
      source.removeListener('end', onEnd);
      target.removeListener('drain', onDrain);
    },
  });
  target.emit('pipe', source);
  return target;
}

function initWritable(stream, options) {
  const mode = Boolean(options.objectMode || options.writableObjectMode);
  Object.defineProperty(stream, '_writableState', {
    value: {
      objectMode: mode, queue: [], length: 0, writing: false, ending: false, finished: false, needDrain: false, corked: 0, sync: false,
      highWaterMark: options.writableHighWaterMark ?? options.highWaterMark ?? defaultHighWaterMark(mode), finalCalled: false,
      decodeStrings: options.decodeStrings ?? true, defaultEncoding: options.defaultEncoding ?? 'utf8',
    },
    writable: true, configurable: true,
  });
  stream.destroyed = false;
  stream.closed = false;
  stream.errored = null;
  stream.emitClose = options.emitClose;
  stream.autoDestroy = options.autoDestroy ?? true;
  if (typeof options.write === 'function') stream._write = options.write;
  if (typeof options.writev === 'function') stream._writev = options.writev;
  if (typeof options.final === 'function') stream._final = options.final;
  if (typeof options.destroy === 'function') stream._destroy = options.destroy;
  if (options.signal) stream.addAbortSignal(options.signal);
}

class Writable extends Stream {
  constructor(options = {}) {
    super();
    initWritable(this, options);
    construct(this, options);
  }

  static [Symbol.hasInstance](value) {
    return Function.prototype[Symbol.hasInstance].call(this, value) || (this === Writable && value?._writableState !== undefined);
  }
}

const writable = {
  ...shared,
  _write(chunk, encoding, callback) {
    if (this._writev !== undefined) this._writev([{ chunk, encoding }], callback);
    else throw coded(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'The _write() method is not implemented');
  },
  write(chunk, encoding, callback) {
    if (typeof encoding === 'function') [encoding, callback] = [undefined, encoding];
    const state = this._writableState;
    encoding ??= state.defaultEncoding;
    if (chunk === null) throw coded(TypeError, 'ERR_STREAM_NULL_VALUES', 'May not write null values to stream');
    if (!state.objectMode) {
      if (typeof chunk === 'string') {
        if (state.decodeStrings !== false) {
          chunk = Buffer.from(chunk, encoding);
          encoding = 'buffer';
        }
      } else if (chunk instanceof Uint8Array) {
        if (!Buffer.isBuffer(chunk)) chunk = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
        encoding = 'buffer';
      } else {
        throw badType('chunk', ['string', 'Buffer', 'Uint8Array'], chunk);
      }
    }
    let error;
    if (state.ending) error = coded(Error, 'ERR_STREAM_WRITE_AFTER_END', 'write after end');
    else if (this.destroyed) error = coded(Error, 'ERR_STREAM_DESTROYED', 'Cannot call write after a stream was destroyed');
    if (error !== undefined) {
      if (callback) nextTick(callback, error);
      if (!this.destroyed) destroy(this, error);
      return false;
    }
    state.length += state.objectMode ? 1 : chunk.length;
    const room = state.length < state.highWaterMark;
    if (!room) state.needDrain = true;
    state.queue.push({ chunk, encoding, callback });
    advance(this);
    return room && !this.errored;
  },
  end(chunk, encoding, callback) {
    if (typeof chunk === 'function') [chunk, encoding, callback] = [undefined, undefined, chunk];
    else if (typeof encoding === 'function') [encoding, callback] = [undefined, encoding];
    const state = this._writableState;
    if (chunk !== undefined && chunk !== null) this.write(chunk, encoding);
    if (callback) {
      if (state.finished) nextTick(callback);
      else if (state.ending && !this.errored) this.once('finish', callback);
      else this.once('finish', callback);
    }
    state.corked = 0;
    state.ending = true;
    advance(this);
    return this;
  },
  cork() {
    this._writableState.corked++;
  },
  uncork() {
    const state = this._writableState;
    if (state.corked > 0) state.corked--;
    advance(this);
  },
  setDefaultEncoding(encoding) {
    this._writableState.defaultEncoding = encoding;
    return this;
  },
};

// advance writes what is next in the queue, or finishes.
function advance(stream) {
  const state = stream._writableState;
  if (state.writing || state.corked > 0 || stream.destroyed) return;
  if (state.queue.length === 0) {
    if (state.ending) finish(stream);
    return;
  }
  state.writing = true;
  let size;
  let inCall = true;
  let batch;
  const done = (error) => {
    if (!state.writing) return;
    const settle = () => {
      state.writing = false;
      state.length -= size;
      if (error) {
        for (const { callback } of batch) callback?.(error);
        destroy(stream, error);
        return;
      }
      if (state.needDrain && state.length === 0 && !state.ending) {
        state.needDrain = false;
        nextTick(() => {
          if (!stream.destroyed) stream.emit('drain');
        });
      }
      for (const { callback } of batch) callback?.(null);
      advance(stream);
    };
    if (inCall) nextTick(settle);
    else settle();
  };
  try {
    if (stream._writev !== undefined && state.queue.length > 1) {
      batch = state.queue.splice(0);
      size = batch.reduce((n, { chunk }) => n + (state.objectMode ? 1 : chunk.length), 0);
      stream._writev(batch.map(({ chunk, encoding }) => ({ chunk, encoding })), done);
    } else {
      batch = [state.queue.shift()];
      size = state.objectMode ? 1 : batch[0].chunk.length;
      stream._write(batch[0].chunk, batch[0].encoding, done);
    }
  } catch (e) {
    inCall = false;
    state.writing = false;
    throw e;
  }
  inCall = false;
}

function finish(stream) {
  const state = stream._writableState;
  if (state.finalCalled) return;
  state.finalCalled = true;
  const done = (error) => {
    if (error) {
      destroy(stream, error);
      return;
    }
    nextTick(() => {
      if (stream.errored || state.finished) return;
      state.finished = true;
      stream.emit('finish');
      const reading = stream._readableState;
      if (stream.autoDestroy && (reading === undefined || reading.endEmitted)) destroy(stream);
    });
  };
  if (stream._final !== undefined) {
    try {
      stream._final(done);
    } catch (e) {
      destroy(stream, e);
    }
  } else {
    done();
  }
}

class Duplex extends Readable {
  constructor(options = {}) {
    super(options);
    initWritable(this, options);
    this.allowHalfOpen = options.allowHalfOpen ?? true;
  }
}

class Transform extends Duplex {
  constructor(options = {}) {
    super({ ...options, read: undefined, write: undefined, final: undefined });
    if (typeof options.transform === 'function') this._transform = options.transform;
    if (typeof options.flush === 'function') this._flush = options.flush;
    if (typeof options.final === 'function') this._finalOption = options.final;
    Object.defineProperty(this, '_held', { value: null, writable: true });
  }

  _transform() {
    throw coded(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'The _transform() method is not implemented');
  }

  _write(chunk, encoding, callback) {
    this._transform(chunk, encoding, (error, value) => {
      if (error) {
        callback(error);
        return;
      }
      if (value !== undefined && value !== null) this.push(value);
      if (this._readableState.length < this._readableState.highWaterMark || this._readableState.ended) callback();
      else this._held = callback;
    });
  }

  _read() {
    const held = this._held;
    this._readableState.reading = false;
    if (held !== null) {
      this._held = null;
      held();
    }
  }

  _final(callback) {
    const end = (error, value) => {
      if (error) {
        callback(error);
        return;
      }
      if (value !== undefined && value !== null) this.push(value);
      this.push(null);
      callback();
    };
    const flush = () => (this._flush !== undefined ? this._flush(end) : end());
    if (this._finalOption !== undefined) this._finalOption((error) => (error ? callback(error) : flush()));
    else flush();
  }
}

class PassThrough extends Transform {
  _transform(chunk, encoding, callback) {
    callback(null, chunk);
  }
}

function install(target, methods) {
  for (const name of Reflect.ownKeys(methods)) {
    Object.defineProperty(target, name, { value: methods[name], writable: true, configurable: true, enumerable: false });
  }
}
install(Readable.prototype, readable);
install(Writable.prototype, writable);
install(Duplex.prototype, Object.fromEntries(Reflect.ownKeys(writable).map((name) => [name, writable[name]])));

function view(target, names) {
  for (const [name, get] of Object.entries(names)) Object.defineProperty(target, name, { get, configurable: true });
}
const readableViews = {
  readable() {
    return !this.destroyed && !this._readableState.endEmitted;
  },
  readableEnded() {
    return this._readableState.endEmitted;
  },
  readableFlowing() {
    return this._readableState.flowing;
  },
  readableLength() {
    return this._readableState.length;
  },
  readableHighWaterMark() {
    return this._readableState.highWaterMark;
  },
  readableObjectMode() {
    return this._readableState.objectMode;
  },
  readableEncoding() {
    return this._readableState.encoding;
  },
};
const writableViews = {
  writable() {
    return !this.destroyed && !this._writableState.ending;
  },
  writableEnded() {
    return this._writableState.ending;
  },
  writableFinished() {
    return this._writableState.finished;
  },
  writableLength() {
    return this._writableState.length;
  },
  writableHighWaterMark() {
    return this._writableState.highWaterMark;
  },
  writableObjectMode() {
    return this._writableState.objectMode;
  },
  writableNeedDrain() {
    return this._writableState.needDrain;
  },
};
view(Readable.prototype, readableViews);
view(Writable.prototype, writableViews);
view(Duplex.prototype, writableViews);

Readable.from = function from(source, options) {
  if (typeof source === 'string' || Buffer.isBuffer(source)) {
    return new Readable({
      objectMode: true, ...options,
      read() {
        this.push(source);
        this.push(null);
      },
    });
  }
  const iterator = source[Symbol.asyncIterator]?.() ?? source[Symbol.iterator]?.();
  if (iterator === undefined) throw badType('iterable', 'Iterable', source);
  let busy = false;
  return new Readable({
    objectMode: true, highWaterMark: 1, ...options,
    read() {
      if (busy) return;
      busy = true;
      (async () => {
        for (;;) {
          const { value, done } = await iterator.next();
          if (done) {
            this.push(null);
            return;
          }
          if (!this.push(await value)) break;
        }
        busy = false;
      })().catch((error) => this.destroy(error));
    },
    destroy(error, callback) {
      Promise.resolve(iterator.return?.()).then(() => callback(error), callback);
    },
  });
};

// The methods that resemble those of arrays.
const operators = {
  async* map(stream, fn) {
    for await (const chunk of stream) yield await fn(chunk, {});
  },
  async* filter(stream, fn) {
    for await (const chunk of stream) if (await fn(chunk, {})) yield chunk;
  },
  async* flatMap(stream, fn) {
    for await (const chunk of stream) yield* await fn(chunk, {});
  },
  async* take(stream, n) {
    if (n <= 0) return;
    for await (const chunk of stream) {
      yield chunk;
      if (--n <= 0) return;
    }
  },
  async* drop(stream, n) {
    for await (const chunk of stream) if (n-- <= 0) yield chunk;
  },
};
for (const name of Object.keys(operators)) {
  install(Readable.prototype, { [name](argument) {
    return Readable.from(operators[name](this, argument));
  } });
}
install(Readable.prototype, {
  async toArray() {
    const all = [];
    for await (const chunk of this) all.push(chunk);
    return all;
  },
  async forEach(fn) {
    for await (const chunk of this) await fn(chunk, {});
  },
  async reduce(fn, ...initial) {
    let has = initial.length > 0;
    let [value] = initial;
    for await (const chunk of this) {
      value = has ? await fn(value, chunk, {}) : chunk;
      has = true;
    }
    if (!has) throw new TypeError('Reduce of an empty stream requires an initial value');
    return value;
  },
  async some(fn) {
    for await (const chunk of this) if (await fn(chunk)) return true;
    return false;
  },
  async every(fn) {
    for await (const chunk of this) if (!await fn(chunk)) return false;
    return true;
  },
  async find(fn) {
    for await (const chunk of this) if (await fn(chunk)) return chunk;
    return undefined;
  },
});

// finished calls back once a stream has ended, failed or closed.
function finished(stream, options, callback) {
  if (typeof options === 'function') [options, callback] = [{}, options];
  let called = false;
  const done = (error) => {
    if (called) return;
    called = true;
    callback.call(stream, error);
  };
  const reads = options.readable !== false && stream._readableState !== undefined;
  const writes = options.writable !== false && stream._writableState !== undefined;
  const check = () => {
    if ((!reads || stream._readableState.endEmitted) && (!writes || stream._writableState.finished)) done();
  };
  stream.on('end', check);
  stream.on('finish', check);
  stream.on('error', done);
  stream.on('close', () => {
    if ((reads && !stream._readableState.endEmitted) || (writes && !stream._writableState.finished)) {
      done(stream.errored ?? coded(Error, 'ERR_STREAM_PREMATURE_CLOSE', 'Premature close'));
    } else {
      done();
    }
  });
  if (stream.errored) nextTick(done, stream.errored);
  else if ((!reads || stream._readableState.endEmitted) && (!writes || stream._writableState.finished)) nextTick(done);
  return () => {
    called = true;
  };
}

function isStream(value) {
  return value !== null && typeof value === 'object' && (typeof value.pipe === 'function' || typeof value.write === 'function');
}

// pipeline connects streams, iterables and generator functions.
function pipeline(...parts) {
  const callback = typeof parts.at(-1) === 'function' ? parts.pop() : () => {};
  if (Array.isArray(parts[0])) [parts] = parts;
  let options = {};
  if (parts.at(-1) !== null && typeof parts.at(-1) === 'object' && !isStream(parts.at(-1)) && parts.at(-1)[Symbol.asyncIterator] === undefined
    && parts.at(-1)[Symbol.iterator] === undefined) options = parts.pop();
  if (parts.length < 2) throw coded(TypeError, 'ERR_MISSING_ARGS', 'The "streams" argument must be specified');
  let called = false;
  const streams = [];
  let left = 0;
  let value;
  const done = (error) => {
    if (error && !called) {
      called = true;
      for (const stream of streams) destroy(stream, undefined);
      nextTick(callback, error);
      return;
    }
    if (--left === 0 && !called) {
      called = true;
      nextTick(callback, undefined, value);
    }
  };
  const watch = (stream, opts) => {
    streams.push(stream);
    left++;
    stream.on('error', () => {});
    finished(stream, opts, done);
  };
  left++;
  let current = parts[0];
  if (typeof current === 'function') current = current({ signal: options.signal });
  if (!isStream(current)) current = Readable.from(current);
  watch(current, { writable: false });
  for (let i = 1; i < parts.length; i++) {
    const part = parts[i];
    const last = i === parts.length - 1;
    if (typeof part === 'function') {
      const result = part(current, { signal: options.signal });
      if (last && typeof result?.then === 'function') {
        left++;
        result.then((v) => {
          value = v;
          done();
        }, done);
      } else {
        const made = isStream(result) ? result : Readable.from(result);
        if (last) {
          made.resume();
        }
        watch(made, { writable: false });
        current = made;
      }
      continue;
    }
    pipe(current, part, { end: !(last && options.end === false) });
    const from = current;
    from.on('error', (error) => destroy(part, error));
    if (!part._isStdio) watch(part, { readable: !last });
    current = part;
  }
  if (options.signal) {
    const abort = () => done(abortError(options.signal.reason));
    if (options.signal.aborted) abort();
    else options.signal.addEventListener('abort', abort, { once: true });
  }
  done();
  return current;
}

Object.assign(Stream, {
  Stream, Readable, Writable, Duplex, Transform, PassThrough, finished, pipeline,
  addAbortSignal: (signal, stream) => {
    stream.addAbortSignal(signal);
    return stream;
  },
  isReadable: (s) => Boolean(s.readable),
  isErrored: (s) => Boolean(s.errored),
  isDisturbed: (s) => s._readableState.flowing !== null,
  getDefaultHighWaterMark: defaultHighWaterMark,
  setDefaultHighWaterMark() {},
  promises: {
    finished: (stream, options = {}) => new Promise((resolve, reject) => {
      finished(stream, options, (error) => (error ? reject(error) : resolve()));
    }),
    pipeline: (...parts) => new Promise((resolve, reject) => {
      pipeline(...parts, (error, value) => (error ? reject(error) : resolve(value)));
    }),
  },
});
pipeline[Symbol.for('nodejs.util.promisify.custom')] = Stream.promises.pipeline;
finished[Symbol.for('nodejs.util.promisify.custom')] = Stream.promises.finished;
module.exports = Stream;
});

__define('stream/promises', (module, exports, require) => {
module.exports = require('stream').promises;
});

__define('stream/consumers', (module, exports, require) => {
'use strict';
const { Buffer } = require('buffer');

async function buffer(stream) {
  const parts = [];
  for await (const chunk of stream) parts.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return Buffer.concat(parts);
}

module.exports = {
  buffer,
  text: async (stream) => (await buffer(stream)).toString(),
  json: async (stream) => JSON.parse((await buffer(stream)).toString()),
  arrayBuffer: async (stream) => new Uint8Array(await buffer(stream)).buffer,
};
});
