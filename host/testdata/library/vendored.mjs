import assert from 'assert';
import csv, { parse } from 'csv-simple';
import { get, set, has, validate, clone, merge } from 'json-utils';
import * as text from 'string-utils';

assert.equal(requireVendor('csv-simple').parse, parse);
assert.throws(() => requireVendor('internal/modules'), { code: 'MODULE_NOT_FOUND' });

// --- csv-simple
const table = 'name,said\n"Ada, C.","line\nbreak ""q"""\nGrace,\n';
const rows = [{ name: 'Ada, C.', said: 'line\nbreak "q"' }, { name: 'Grace', said: '' }];
assert.deepEqual(parse(table), rows);
assert.deepEqual(parse('\ufeff' + table.replaceAll('\n"Ada', '\r\n"Ada')), rows);
assert.equal(csv.stringify(rows), table);
assert.deepEqual(parse('1;2\n\n3;4', { delimiter: ';', headers: false }), [['1', '2'], ['3', '4']]);
assert.deepEqual(parse("'a''b',2", { quote: "'", headers: ['x', 'y', 'z'] }), [{ x: "a'b", y: '2', z: undefined }]);
assert.deepEqual(Object.keys(parse('__proto__,b\n1,2')[0]), ['__proto__', 'b']);
assert.throws(() => parse('a\n"b'), /line 2: a quoted cell has no end/);
assert.throws(() => parse('a\n"b"c'), /line 2: text after/);
assert.throws(() => parse('a\n1,2'), /row 1 has 2 cells/);
assert.throws(() => parse('a', { delimiter: '' }), /one character/);
assert.equal(csv.stringify([{ a: 0, b: false }, { a: null, c: [1] }]), 'a,b,c\n0,false,\n,,[1]\n');
assert.equal(csv.stringify([{ a: 1, b: 2 }], { columns: ['b'], headers: false }), '2\n');
assert.equal(csv.stringify([[1, '"']], { delimiter: '\t' }), '1\t""""\n');
assert.equal(parse('a,b\n' + '1,2\n'.repeat(10_000)).length, 10_000);

// --- json-utils
const value = { users: [{ name: 'Ada', 'a.b': null }] };
assert.equal(get(value, 'users[0].name'), 'Ada');
assert.equal(get(value, 'users.0["a.b"]'), null);
assert.equal(get(value, ['users', 0, 'a.b']), null);
assert.equal(get(value, 'users[1].name', 'nobody'), 'nobody');
assert.equal(get(value, 'constructor.name'), undefined);
assert.ok(has(value, 'users[0]') && !has(value, 'toString') && has({ a: undefined }, 'a'));
assert.deepEqual(set({}, 'a.b[1].c', 5), { a: { b: [, { c: 5 }] } });
assert.throws(() => set({ a: 1 }, 'a.b', 2), /which has no "b"/);
assert.throws(() => get(value, 'users[x]'), /is no path: look at character 6/);
set({}, '__proto__.polluted', true);
assert.equal({}.polluted, undefined);
const copy = clone(value);
assert.ok(copy.users[0] !== value.users[0]);
assert.deepEqual(copy, value);
assert.deepEqual(merge({ a: { x: 1 }, b: [1] }, null, { a: { y: 2 }, b: [2] }), { a: { x: 1, y: 2 }, b: [2] });
merge({}, JSON.parse('{"__proto__": {"polluted": 1}}'));
assert.equal({}.polluted, undefined);
const schema = {
  type: 'object', required: ['id'], additionalProperties: false,
  properties: {
    id: { type: 'integer', minimum: 1, maximum: 9 }, tag: { enum: ['a', 'b'] }, kind: { const: 'x' },
    name: { type: ['string', 'null'], minLength: 2, maxLength: 3, pattern: '^[a-z]+$' },
    list: { type: 'array', items: { type: 'number' }, minItems: 1, maxItems: 2 },
  },
};
assert.deepEqual(validate({ id: 1, tag: 'a', kind: 'x', name: null, list: [1.5] }, schema), { valid: true, errors: [] });
assert.deepEqual(validate({ tag: 'c', kind: 'y', name: 'A', list: ['1', 2, 3], more: 1 }, schema).errors, [
  '$ lacks "id"', '$ has "more", which is not known', '$.tag is none of ["a","b"]', '$.kind is not "x"',
  '$.name is shorter than 2', '$.name does not match ^[a-z]+$', '$.list[0] is not number', '$.list has more than 2 items',
]);
assert.deepEqual(validate({ id: 10.5 }, schema).errors, ['$.id is not integer', '$.id is more than 9']);
assert.throws(() => validate(1, { oneOf: [] }), /cannot have "oneOf"/);

// --- string-utils
const cases = {
  slugify: [['Crème Brûlée & Straße!', 'creme-brulee-strasse'], ['--', '']],
  truncate: [['hello world', 8, 'hello w…'], ['hello', 5, 'hello'], ['hello', 3, '', 'hel']],
  capitalize: [['émile', 'Émile'], ['', '']],
  camelCase: [['XMLHttp request_now', 'xmlHttpRequestNow']],
  snakeCase: [['someHTTPServer 2x', 'some_http_server_2_x']],
  kebabCase: [['Foo Bar', 'foo-bar']],
  pad: [['x', 3, 'x  '], ['x', 3, '0', 'start', '00x'], ['x', 4, '*', 'both', '*x**'], ['long', 2, 'long']],
  clean: [['  a \n\t b ', 'a b']],
  count: [['banana', 'an', 2], ['aaa', 'aa', 1]],
  reverse: [['añ😀', '😀ña']],
  isPalindrome: [['A man, a plan, a canal: Panama', true], ['ab', false]],
  words: [['fooBar, baz', ['foo', 'Bar', 'baz']], ['', []]],
  wordCount: [[" it's  fine ", 2]],
};
assert.deepEqual(Object.keys(text).filter((name) => name !== 'default').sort(), Object.keys(cases).sort());
for (const [name, rows] of Object.entries(cases)) {
  for (const row of rows) {
    const args = name === 'truncate' && row.length === 4 ? [row[0], row[1], row[2]] : row.slice(0, -1);
    assert.deepEqual(text[name](...args), row.at(-1), `${name}(${JSON.stringify(args)})`);
  }
}
assert.equal(text.slugify('a b', { separator: '_' }), 'a_b');
assert.throws(() => text.count('a', ''), TypeError);
