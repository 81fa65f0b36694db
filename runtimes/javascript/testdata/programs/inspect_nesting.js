// Objects within objects: where inspect stops, breaks lines and groups.
const user = { id: 1, name: 'Ada', tags: ['math', 'code'], address: { city: 'London', geo: { lat: 51.5, lng: -0.12, meta: { src: 'gps' } } } };
console.log(user);
console.log({ a: { b: { c: { d: 1 } } }, arr: [[1, [2, [3, [4]]]]] });
console.log([user, user].map(({ id, name }) => ({ id, name })));
console.log({ long1: 'x'.repeat(30), long2: 'y'.repeat(30), long3: 'z'.repeat(20) });
console.log({ f() {}, g: () => 1, h: class A {}, i: class B extends Array {}, async j() {}, *k() {}, async *l() {} });
console.log([undefined, null, NaN, -0, 0, 1e21, 1e-7, true, Symbol('s'), 10n, 'str']);
console.log({ 'key with space': 1, valid_id: 2, 3: 'three', [Symbol('sym')]: 4, "quo'te": 5 });
console.log(Object.create(null), Object.create({ inherited: 1 }), Object.assign(Object.create(null), { a: 1 }));
console.log([[]], [{}], {}, [], [[[]]], { a: {} }, { a: [] });
