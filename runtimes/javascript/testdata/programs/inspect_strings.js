// Quoting and escaping of strings inside other values.
console.log(['it\'s', 'say "hi"', 'both \' and "', 'back`tick', 'all \' " `']);
console.log(['tab\there', 'new\nline', 'back\\slash', 'null\0', '\u001b[31m', '\x7f', 'é', '日本語', '😀']);
console.log('plain \n text', ['a\nb'], { s: 'multi\nline' });
console.log({ text: 'line one of a rather long text\nline two of a rather long text\nline three of the text' });
console.log(['x'.repeat(100)]);
console.log('%s is %d years and %i, %f, %j %o %O %%', 'Bob', 42.5, 42.9, '3.14', { a: 1 }, [1], { b: 2 }, 'extra', { c: 3 });
console.log('%s', null, undefined, 5n, Symbol('a'), { a: { b: { c: 1 } } });
console.log('100%', 'done', '%x', 1, '%');
console.log('%s %s', 'only one');
console.log('%c styled', 'color: red');
console.log('%d %d %d', '0x10', 1n, {}, -0);
console.log('%s', class A {}, function f() {}, new Date(0), [1, [2, [3]]], new (class B { toString() { return 'B!'; } })());
console.log('a', 1, true, null, undefined, 'b\n', ['c']);
console.log();
console.log('');
