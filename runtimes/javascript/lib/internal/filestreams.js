// fs.createReadStream and fs.createWriteStream.
__define('internal/filestreams', (module, exports, require) => {
'use strict';
const { Readable, Writable } = require('stream');
const { Buffer } = require('buffer');
const { complete, nextTick } = require('internal/loop');

class ReadStream extends Readable {
  constructor(fs, path, options) {
    super({ highWaterMark: options.highWaterMark ?? 65536, encoding: options.encoding });
    this.path = path;
    this.fd = options.fd ?? null;
    this.bytesRead = 0;
    let position = options.start;
    const end = options.end ?? Infinity;
    let left = end - (options.start ?? 0) + 1;
    this._read = (size) => {
      complete(() => {
        if (this.destroyed) return;
        try {
          if (this.fd === null) {
            this.fd = fs.openSync(path, options.flags ?? 'r');
            this.emit('open', this.fd);
            this.emit('ready');
          }
          const buffer = Buffer.alloc(Math.min(size, left));
          const n = left <= 0 ? 0 : fs.readSync(this.fd, buffer, 0, buffer.length, position ?? null);
          if (position !== undefined) position += n;
          left -= n;
          this.bytesRead += n;
          this.push(n === 0 ? null : buffer.subarray(0, n));
        } catch (e) {
          this.destroy(e);
        }
      });
    };
    this._destroy = (error, callback) => {
      if (this.fd !== null && options.fd === undefined && options.autoClose !== false) {
        fs.closeSync(this.fd);
        this.fd = null;
      }
      callback(error);
    };
    if (options.signal) this.addAbortSignal(options.signal);
  }

  close(callback) {
    if (callback) this.once('close', callback);
    this.destroy();
  }
}

class WriteStream extends Writable {
  constructor(fs, path, options) {
    super({ decodeStrings: true, defaultEncoding: options.encoding ?? 'utf8', highWaterMark: options.highWaterMark ?? 16384 });
    this.path = path;
    this.fd = options.fd ?? null;
    this.bytesWritten = 0;
    let position = options.start;
    const open = () => {
      if (this.fd !== null) return;
      this.fd = fs.openSync(path, options.flags ?? 'w');
      this.emit('open', this.fd);
      this.emit('ready');
    };
    const attempt = (body, callback) => complete(() => {
      try {
        body();
      } catch (e) {
        callback(e);
        return;
      }
      callback();
    });
    this._write = (chunk, encoding, callback) => attempt(() => {
      open();
      const n = fs.writeSync(this.fd, chunk, 0, chunk.length, position ?? null);
      if (position !== undefined) position += n;
      this.bytesWritten += n;
    }, callback);
    this._final = (callback) => attempt(open, callback);
    this._destroy = (error, callback) => {
      if (this.fd !== null && options.fd === undefined && options.autoClose !== false) {
        fs.closeSync(this.fd);
        this.fd = null;
      }
      callback(error);
    };
    nextTick(() => complete(() => {
      try {
        if (!this.destroyed) open();
      } catch (e) {
        this.destroy(e);
      }
    }));
  }

  close(callback) {
    if (callback) this.once('close', callback);
    this.end();
  }
}

module.exports = {
  ReadStream, WriteStream,
  createReadStream: (fs, path, options) => new ReadStream(fs, path, options),
  createWriteStream: (fs, path, options) => new WriteStream(fs, path, options),
};
});
