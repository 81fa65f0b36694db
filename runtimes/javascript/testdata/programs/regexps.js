// Regular expressions.
const log = '2024-01-15 10:30:45 [ERROR] db: connection lost (code=42)\n2024-01-15 10:31:00 [INFO] web: started (code=0)';
const re = /^(?<date>\S+) (?<time>\S+) \[(?<level>\w+)\] (?<src>\w+): (?<msg>.*?) \(code=(?<code>\d+)\)$/gm;
for (const m of log.matchAll(re)) console.log({ ...m.groups }, m.index);
console.log('2024-01-15'.match(/(\d+)-(\d+)-(\d+)/), 'none'.match(/x/), 'a1b22'.match(/\d+/g));
console.log('John Smith'.replace(/(\w+) (\w+)/, '$2, $1'), 'price 10'.replace(/\d+/, (n) => n * 2), 'x-y'.replace(/(?<a>x)-(?<b>y)/, '$<b>$<a>'), 'aaa'.replace(/a/g, (m, i) => i));
const sticky = /foo/y; sticky.lastIndex = 3; console.log(sticky.test('barfoo'), sticky.lastIndex, /a.c/s.test('a\nc'), /^\p{Lu}/u.test('Éa'), /(?<=\$)\d+/.exec('cost $42')[0], /(?<!a)b/.test('ab'));
const email = /^[^\s@]+@[^\s@]+\.[^\s@]+$/; console.log(['a@b.co', 'bad@', 'x y@z.w'].map((e) => email.test(e))); console.log('a,b;c'.split(/[,;]/), 'one  two'.split(/\s+/), 'camelCaseString'.split(/(?=[A-Z])/));
const tokens = [...'3 + 4.5 * (2 - x)'.matchAll(/\d+(?:\.\d+)?|[-+*\/()]|[a-z]+/g)].map((m) => m[0]); console.log(tokens); const g = /o/g; const str = 'foo boo'; let m; const at = []; while ((m = g.exec(str)) !== null) at.push(m.index); console.log(at);
console.log(/(\d+)-\1/.test('12-12'), 'aBc'.replace(/b/i, '[$&]'), /[\u4e00-\u9fff]/.test('中'), new RegExp('a+b', 'gi').flags, /x/.source, String(/\//));
