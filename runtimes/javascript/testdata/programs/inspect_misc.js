// Dates, regular expressions, errors without stacks, buffers, boxed values, promises.
console.log(new Date(0), [new Date(Date.UTC(2024, 1, 29, 12))], new Date(NaN), { when: new Date(1e12) });
console.log(/ab+c/gi, [/x/], { re: /\d+/u });
console.log(new ArrayBuffer(4), new Uint8Array([1, 2, 3]), new Float64Array(2), new DataView(new ArrayBuffer(2)), Buffer.from('héllo'));
console.log(new Number(3), new String('abc'), new Boolean(false), Object(Symbol('q')), Object(5n));
console.log(Promise.resolve(42), new Promise(() => {}), Promise.resolve({ a: [1] }));
const rejected = Promise.reject(new Error('no')); rejected.catch(() => {});
(function () { console.log(arguments); })(1, 'b');
console.log(new Proxy({ a: 1 }, {}), new Proxy([1, 2], {}), new Proxy(function f() {}, {}));
const a = { name: 'a' }; const b = { name: 'b', a }; a.b = b; a.list = [a, b];
console.log(a);
console.log([a, { a }]);
console.log(globalThis === global, typeof globalThis, typeof window);
console.log([1, 2, 3].values(), 'abc'[Symbol.iterator]().next(), (function* () {})());
console.log(Math, JSON, Reflect);
console.log([new Error('plain message').message, String(new TypeError('bad type'))]);
const e = new RangeError('no stack'); e.stack = undefined; console.log(e);
console.log(Object(1n), [Symbol.iterator], Symbol.for('x').description);
