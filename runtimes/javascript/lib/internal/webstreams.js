// The streams of the web, in their simple uses: a queue with a reader, a writer,
// and a transformation between the two.
__define('internal/webstreams', (module, exports, require) => {
'use strict';

class Queue {
  items = [];
  waiting = [];
  closed = false;
  error = undefined;
  failed = false;

  put(value) {
    if (this.closed || this.failed) throw new TypeError('Invalid state: Controller is already closed');
    if (this.waiting.length > 0) this.waiting.shift().resolve({ value, done: false });
    else this.items.push(value);
  }

  close() {
    this.closed = true;
    for (const { resolve } of this.waiting.splice(0)) resolve({ value: undefined, done: true });
  }

  fail(error) {
    this.failed = true;
    this.error = error;
    this.items = [];
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }
}

class ReadableStream {
  #queue = new Queue();
  #source;
  #pulling = false;
  #locked = false;
  #ready;
  #controller;

  constructor(source = {}) {
    this.#source = source;
    const queue = this.#queue;
    this.#controller = {
      enqueue: (value) => queue.put(value),
      close: () => queue.close(),
      error: (error) => queue.fail(error),
      get desiredSize() {
        return 1 - queue.items.length;
      },
    };
    this.#ready = Promise.resolve(source.start?.(this.#controller)).catch((error) => queue.fail(error));
  }

  static from(iterable) {
    const iterator = iterable[Symbol.asyncIterator]?.() ?? iterable[Symbol.iterator]();
    return new ReadableStream({
      async pull(controller) {
        const { value, done } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(await value);
      },
    });
  }

  get locked() {
    return this.#locked;
  }

  async #pull() {
    await this.#ready;
    const queue = this.#queue;
    while (!this.#pulling && queue.items.length === 0 && queue.waiting.length > 0 && !queue.closed && !queue.failed && this.#source.pull) {
      this.#pulling = true;
      try {
        await this.#source.pull(this.#controller);
      } catch (e) {
        queue.fail(e);
      }
      this.#pulling = false;
    }
  }

  #next() {
    const queue = this.#queue;
    if (queue.items.length > 0) return Promise.resolve({ value: queue.items.shift(), done: false });
    if (queue.failed) return Promise.reject(queue.error);
    if (queue.closed) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => {
      queue.waiting.push({ resolve, reject });
      this.#pull();
    });
  }

  getReader() {
    if (this.#locked) throw new TypeError('Invalid state: ReadableStream is locked');
    this.#locked = true;
    return {
      read: () => this.#next(),
      releaseLock: () => {
        this.#locked = false;
      },
      cancel: (reason) => this.cancel(reason),
      closed: new Promise(() => {}),
    };
  }

  async cancel(reason) {
    this.#queue.items = [];
    this.#queue.close();
    await this.#source.cancel?.(reason);
  }

  async pipeTo(target) {
    const writer = target.getWriter();
    for await (const chunk of this) await writer.write(chunk);
    await writer.close();
  }

  pipeThrough({ readable, writable }) {
    this.pipeTo(writable).catch(() => {});
    return readable;
  }

  tee() {
    const queues = [new Queue(), new Queue()];
    (async () => {
      try {
        for await (const chunk of this) for (const queue of queues) queue.put(chunk);
        for (const queue of queues) queue.close();
      } catch (e) {
        for (const queue of queues) queue.fail(e);
      }
    })();
    return queues.map((queue) => ReadableStream.from((async function* () {
      for (;;) {
        if (queue.items.length > 0) yield queue.items.shift();
        else if (queue.failed) throw queue.error;
        else if (queue.closed) return;
        else {
          const { value, done } = await new Promise((resolve, reject) => {
            queue.waiting.push({ resolve, reject });
          });
          if (done) return;
          yield value;
        }
      }
    })()));
  }

  async* values() {
    const reader = this.getReader();
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        yield value;
      }
    } finally {
      reader.releaseLock();
    }
  }

  [Symbol.asyncIterator]() {
    return this.values();
  }
}

class WritableStream {
  #sink;
  #last;

  constructor(sink = {}) {
    this.#sink = sink;
    this.#last = Promise.resolve(sink.start?.({}));
    this.locked = false;
  }

  getWriter() {
    this.locked = true;
    const then = (body) => {
      this.#last = this.#last.then(body);
      return this.#last;
    };
    return {
      ready: Promise.resolve(),
      desiredSize: 1,
      write: (chunk) => then(() => this.#sink.write?.(chunk, {})),
      close: () => then(() => this.#sink.close?.()),
      abort: (reason) => then(() => this.#sink.abort?.(reason)),
      releaseLock: () => {
        this.locked = false;
      },
    };
  }
}

class TransformStream {
  constructor(transformer = {}) {
    let controller;
    this.readable = new ReadableStream({
      start(c) {
        controller = { enqueue: c.enqueue, error: c.error, terminate: c.close };
      },
    });
    this.writable = new WritableStream({
      start: () => transformer.start?.(controller),
      async write(chunk) {
        try {
          if (transformer.transform) await transformer.transform(chunk, controller);
          else controller.enqueue(chunk);
        } catch (e) {
          controller.error(e);
          throw e;
        }
      },
      async close() {
        await transformer.flush?.(controller);
        controller.terminate();
      },
    });
  }
}

module.exports = { ReadableStream, WritableStream, TransformStream };
});

__define('stream/web', (module, exports, require) => {
module.exports = require('internal/webstreams');
});
