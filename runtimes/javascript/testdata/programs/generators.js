// Generators and iterators.
function* fib() { let [a, b] = [0, 1]; for (;;) { yield a; [a, b] = [b, a + b]; } }
const take = function* (n, it) { let i = 0; for (const v of it) { if (i++ >= n) return; yield v; } };
console.log([...take(10, fib())]);
function* chat() { const name = yield 'name?'; const age = yield `hi ${name}, age?`; return { name, age }; }
const c = chat(); console.log(c.next(), c.next('Ann'), c.next(5), c.next());
function* outer() { yield 1; const r = yield* inner(); yield r; } function* inner() { yield 'i1'; return 'returned'; }
console.log(Array.from(outer()));
class Tree { constructor(v, l, r) { Object.assign(this, { v, l, r }); } *[Symbol.iterator]() { if (this.l) yield* this.l; yield this.v; if (this.r) yield* this.r; } }
console.log([...new Tree(4, new Tree(2, new Tree(1), new Tree(3)), new Tree(6))]);
const g = (function* () { try { yield 1; yield 2; } catch (e) { console.log('caught', e); yield 'recovered'; } finally { console.log('cleanup'); } })();
console.log(g.next(), g.throw('err'), g.return('bye'), g.next());
const range = { from: 1, to: 5, [Symbol.iterator]() { let n = this.from; const { to } = this; return { next: () => (n <= to ? { value: n++, done: false } : { value: undefined, done: true }) }; } };
console.log([...range], Math.max(...range)); const [x, , y = 'd', ...rest] = range; console.log(x, y, rest);
const lazy = { *map(it, f) { for (const v of it) yield f(v); }, *filter(it, f) { for (const v of it) if (f(v)) yield v; } };
console.log([...lazy.map(lazy.filter([1, 2, 3, 4], (n) => n % 2), (n) => n * 10)]);
const entries = Object.entries({ a: 1, b: 2 }); for (const [k, v] of entries) console.log(k, v);
function permutations(a) { return a.length < 2 ? [a] : a.flatMap((v, i) => permutations([...a.slice(0, i), ...a.slice(i + 1)]).map((p) => [v, ...p])); }
console.log(permutations([1, 2, 3]).map((p) => p.join('')).join(' '));
