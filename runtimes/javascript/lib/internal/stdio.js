// process.stdin, stdout and stderr as streams.
__define('internal/stdio', (module, exports, require) => {
'use strict';
const p = require('internal/primordials');
const { host } = p;
const { badType } = require('internal/errors');
const { chunk } = require('internal/files');

const made = {};

function output(fd) {
  const { Writable } = require('stream');
  const stream = new Writable({ decodeStrings: false });
  // Straight to the host: what was written before process.exit() is out.
  stream.write = function (data, encoding, callback) {
    if (typeof encoding === 'function') [encoding, callback] = [undefined, encoding];
    if (typeof data === 'string') {
      if (encoding === undefined || encoding === null || /^utf-?8$/i.test(encoding)) host('write', { fd, text: data });
      else host('write', { fd }, require('buffer').Buffer.from(data, encoding));
    } else if (data instanceof p.Uint8Array) {
      host('write', { fd }, data);
    } else {
      throw badType('chunk', ['string', 'Buffer', 'Uint8Array'], data);
    }
    if (typeof callback === 'function') require('internal/loop').nextTick(callback, null);
    return true;
  };
  stream._write = (data, encoding, callback) => {
    stream.write(data, encoding);
    callback();
  };
  stream._destroy = (error, callback) => callback(error);
  Object.assign(stream, {
    fd, _type: 'fs', _isStdio: true,
    getColorDepth: () => 1,
    hasColors: () => false,
    getWindowSize: () => [80, 24],
    cursorTo: () => true, moveCursor: () => true, clearLine: () => true, clearScreenDown: () => true,
  });
  return stream;
}

function input() {
  const { Readable } = require('stream');
  const { complete } = require('internal/loop');
  const stream = new Readable({
    read() {
      complete(() => {
        const { bytes } = host('read_stdin', { length: chunk >> 4 });
        stream.push(bytes === undefined || bytes.byteLength === 0 ? null : require('buffer').Buffer.from(bytes));
      });
    },
  });
  stream.fd = 0;
  stream.setRawMode = () => stream;
  stream.ref = stream.unref = () => stream;
  return stream;
}

module.exports = {
  // reset forgets an earlier call's input.
  reset: () => {
    made.stdin = undefined;
  },
  stdin: () => (made.stdin ??= input()),
  stdout: () => (made.stdout ??= output(1)),
  stderr: () => (made.stderr ??= output(2)),
};
});
