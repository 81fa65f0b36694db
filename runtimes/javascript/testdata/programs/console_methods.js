// The methods of console.
console.info('info'); console.debug('debug'); console.error('not on stdout'); console.warn('nor this');
console.group('Group A'); console.log('inside'); console.group(); console.log('deeper\nsecond line'); console.groupEnd(); console.log({ a: 1, b: [1, 2] }); console.groupEnd(); console.log('outside');
console.count(); console.count('x'); console.count(); console.countReset(); console.count();
console.assert(true, 'no'); console.assert(false, 'stderr');
console.table([{ name: 'Alice', age: 30 }, { name: 'Bob', age: 25, city: 'Rome' }]);
console.table([[1, 2], [3, 4]]);
console.table(['a', 'b', 'c']);
console.table({ x: { v: 1 }, y: { v: 2 } });
console.table([{ a: 1, b: 2, c: 3 }], ['a', 'c']);
console.table(new Map([['k1', 'v1'], ['k2', { z: 1 }]]));
console.table(new Set([1, 'two']));
console.table('not a table'); console.table([]);
console.table([{ n: 1.5, s: 'text', o: { deep: 1 }, u: undefined, nul: null }]);
console.dir({ a: { b: { c: { d: {} } } } }, { depth: 0 });
console.dir([1, 2, { x: [1, [2, [3]]] }], { depth: null });
console.log(typeof console.time, typeof console.trace);
