// Iterators printed before, during and after their use.
const m = new Map([['a', 1], ['b', { c: 2 }]]);
console.log(m.keys(), m.values(), m.entries(), new Set([1, 'x']).values(), new Set([1]).entries(), new Map().keys());
const it = m.keys(); console.log(it, [...it], [...it]);
const half = m.entries(); half.next(); console.log(half); for (const [k, v] of half) console.log(k, v); console.log(half, half.next());
console.log([m.keys()], { k: new Set([[1, 2, 3]]).values() }, [1, 2].values(), 'ab'[Symbol.iterator]());
console.log(new Set(Array.from({ length: 30 }, (_, i) => i)).values(), m[Symbol.iterator]().next());
