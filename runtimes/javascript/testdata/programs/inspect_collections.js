// Maps, sets and their relatives.
console.log(new Map([['a', 1], ['b', { c: 2 }]]), new Map(), new Set([1, 'two', { three: 3 }]), new Set());
console.log(new Map([[{ k: 1 }, new Map([[1, new Map([[2, new Map()]])]])]]));
console.log(new WeakMap(), new WeakSet());
console.log({ m: new Map([['x', [1, 2, 3]]]), s: new Set([[1], [2]]) });
class Bag extends Map { constructor(it) { super(it); this.label = 'bag'; } }
console.log(new Bag([['k', 'v']]));
class Uniq extends Set {}
console.log(new Uniq([1]), new Uniq());
console.log(new Map(Array.from({ length: 5 }, (_, i) => [`key${i}`, 'v'.repeat(15)])));
console.log(new Set(Array.from({ length: 40 }, (_, i) => i)));
console.log([new Set([1]), new Map([[1, 2]])]);
const circular = new Map();
circular.set('self', circular);
console.log(circular);
