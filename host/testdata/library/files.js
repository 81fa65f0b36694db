// As globals, by require and by import, they are the same.
const assert = require('assert');
const utils = require('sandbox-utils');
for (const name of Object.keys(utils)) assert.equal(globalThis[name], utils[name], name);

writeText('a.txt', 'one\r\ntwo\n');
appendText('a.txt', 'three');
assert.equal(readText('a.txt'), 'one\r\ntwo\nthree');
assert.deepEqual(readLines('a.txt'), ['one', 'two', 'three']);
writeLines('b.txt', ['x', 'y'], ';');
assert.equal(readText('b.txt'), 'x;y;');
writeJson('c.json', { a: [1, null] });
assert.equal(readText('c.json'), '{\n  "a": [\n    1,\n    null\n  ]\n}\n');
assert.deepEqual(readJson('c.json'), { a: [1, null] });
assert.throws(() => readJson('a.txt'), /^SyntaxError: a\.txt: /);
assert.throws(() => writeJson('d.json', undefined), /has no JSON form/);
assert.ok(fileExists('a.txt') && !fileExists('z.txt'));
assert.ok(fileSize('b.txt') === 4 && fileSize('z.txt') === null);

const bytes = Buffer.from([0, 255, 254, 128, 10, 13]);
require('fs').writeFileSync('raw.bin', bytes);
copyFile('raw.bin', 'copy.bin');
assert.deepEqual(require('fs').readFileSync('copy.bin'), bytes);
require('fs').mkdirSync('sub');
writeText('sub/deep.txt', '');
assert.deepEqual(listFiles(), ['a.txt', 'b.txt', 'c.json', 'copy.bin', 'raw.bin', 'sub']);
assert.deepEqual(listFiles('.', { recursive: true }).at(-1), 'sub/deep.txt');
assert.ok(removeFile('a.txt') && !removeFile('a.txt'));
assert.throws(() => readText('a.txt'), { code: 'ENOENT' });
