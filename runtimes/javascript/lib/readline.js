__define('readline', (module, exports, require) => {
'use strict';
const EventEmitter = require('events');
const { StringDecoder } = require('string_decoder');
const { coded } = require('internal/errors');

class Interface extends EventEmitter {
  #rest = '';
  #decoder = new StringDecoder('utf8');
  #prompt = '> ';
  #asked = [];
  #lines = [];
  #endsWithReturn = false;

  constructor(input, output) {
    super();
    const options = input?.input !== undefined ? input : { input, output };
    this.input = options.input;
    this.output = options.output;
    this.terminal = false;
    this.line = '';
    this.history = [];
    this.closed = false;
    if (options.prompt !== undefined) this.#prompt = options.prompt;
    this.input.on('data', (chunk) => this.#take(typeof chunk === 'string' ? chunk : this.#decoder.write(chunk)));
    this.input.on('end', () => {
      this.#take(this.#decoder.end());
      if (this.#rest !== '') this.#line(this.#rest);
      this.#rest = '';
      this.close();
    });
    this.input.on('error', (error) => this.emit('error', error));
    options.signal?.addEventListener('abort', () => this.close(), { once: true });
  }

  #take(text) {
    if (this.#endsWithReturn && text[0] === '\n') text = text.slice(1);
    this.#endsWithReturn = text.endsWith('\r');
    const whole = this.#rest + text;
    const lines = /[\r\u2028\u2029]/.test(whole) ? whole.split(/\r\n|\n|\r|\u2028|\u2029/) : whole.split('\n');
    this.#rest = lines.pop();
    for (const line of lines) this.#line(line);
  }

  #line(line) {
    const asked = this.#asked.shift();
    if (asked !== undefined) asked(line);
    // A question to come may want the lines that came before it.
    else if (this.listenerCount('line') > 0 || this.closed) this.emit('line', line);
    else this.#lines.push(line);
  }

  on(name, listener) {
    super.on(name, listener);
    if (name === 'line') for (const line of this.#lines.splice(0)) this.emit('line', line);
    return this;
  }

  addListener(name, listener) {
    return this.on(name, listener);
  }

  question(query, options, callback) {
    if (typeof options === 'function') callback = options;
    if (this.closed) throw coded(Error, 'ERR_USE_AFTER_CLOSE', 'readline was closed');
    this.output?.write(query);
    if (this.#lines.length > 0) require('internal/loop').complete(callback, this.#lines.shift());
    else this.#asked.push(callback);
  }

  setPrompt(prompt) {
    this.#prompt = prompt;
  }

  getPrompt() {
    return this.#prompt;
  }

  prompt() {
    this.output?.write(this.#prompt);
    this.input.resume?.();
  }

  write() {}

  pause() {
    this.input.pause();
    this.emit('pause');
    return this;
  }

  resume() {
    this.input.resume();
    this.emit('resume');
    return this;
  }

  close() {
    if (this.closed) return;
    this.closed = true;
    if (!this.input.readableEnded) this.input.pause?.();
    this.emit('close');
  }

  [Symbol.asyncIterator]() {
    const lines = this.#lines.splice(0);
    const waiting = [];
    super.on('line', (line) => {
      if (waiting.length > 0) waiting.shift()({ value: line, done: false });
      else lines.push(line);
    });
    super.on('close', () => {
      for (const resolve of waiting.splice(0)) resolve({ value: undefined, done: true });
    });
    return {
      next: () => {
        if (lines.length > 0) return Promise.resolve({ value: lines.shift(), done: false });
        if (this.closed) return Promise.resolve({ value: undefined, done: true });
        return new Promise((resolve) => {
          waiting.push(resolve);
        });
      },
      return: () => {
        this.close();
        return Promise.resolve({ value: undefined, done: true });
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}

Interface.prototype.question[Symbol.for('nodejs.util.promisify.custom')] = function (query) {
  return new Promise((resolve) => {
    this.question(query, resolve);
  });
};

class PromisesInterface extends Interface {
  question(query) {
    return new Promise((resolve) => {
      super.question(query, resolve);
    });
  }
}

const done = (...args) => {
  args.find((arg) => typeof arg === 'function')?.();
  return true;
};

module.exports = {
  Interface,
  createInterface: (input, output) => new Interface(input, output),
  clearLine: done, clearScreenDown: done, cursorTo: done, moveCursor: done,
  emitKeypressEvents() {},
  promises: {
    Interface: PromisesInterface,
    createInterface: (input, output) => new PromisesInterface(input, output),
  },
};
});

__define('readline/promises', (module, exports, require) => {
module.exports = require('readline').promises;
});
