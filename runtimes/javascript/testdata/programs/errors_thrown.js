// What the engine says when programs go wrong.
const tries = {
  readNull: () => null.foo, readUndefined: () => undefined.bar.baz, setNull: () => { null.x = 1; }, notFunction: () => { const o = {}; o.method(); },
  nested: () => { const o = { a: { b: 1 } }; o.a.b(); }, notDefined: () => missingVariable, constant: () => { const c = 1; c = 2; },
  tdz: () => { const f = () => later; f(); let later = 1; }, json: () => JSON.parse('{bad json}'), jsonEnd: () => JSON.parse('{"a":'),
  jsonToken: () => JSON.parse('hello'), jsonEmpty: () => JSON.parse(''), arrayLength: () => new Array(-1), repeat: () => 'x'.repeat(-1) ,
  bigintMix: () => 1n + 1, symbolString: () => `${Symbol('x')}`, reduce: () => [].reduce((a, b) => a + b), date: () => new Date(NaN).toISOString(),
  uri: () => decodeURIComponent('%'), classCall: () => { class K {} K(); }, newArrow: () => { const f = () => {}; new f(); },
  iterate: () => { for (const x of 5) ; }, spread: () => { const o = {}; [...o]; }, bigZero: () => 1n / 0n, toFixed: () => (1).toFixed(101),
  radix: () => (1).toString(1), superFirst: () => { class A {} class B extends A { constructor() { this.x = 1; } } new B(); },
  frozen: () => { 'use strict'; Object.freeze([1]).push(2); }, regexp: () => { throw new SyntaxError('mine'); },
};
for (const [name, fn] of Object.entries(tries)) {
  try { fn(); console.log(name, 'did not throw'); } catch (e) { if (name !== 'frozen' && name !== 'repeat' && name !== 'iterate' && name !== 'spread') console.log(name, '-', e.name, '-', e.message.replace(/ \(line.*/, '')); else console.log(name, '-', e.name); }
}
