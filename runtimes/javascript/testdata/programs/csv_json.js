// CSV parsing with quotes, JSON with revivers and replacers.
const csv = 'id,name,note\n1,"Smith, John","said ""hi"""\n2,Ann,\n3,"multi\nline",x\n';
function parseCSV(text) { const rows = []; let row = [], cell = '', quoted = false; for (let i = 0; i < text.length; i++) { const c = text[i]; if (quoted) { if (c === '"') { if (text[i + 1] === '"') { cell += '"'; i++; } else quoted = false; } else cell += c; } else if (c === '"') quoted = true; else if (c === ',') { row.push(cell); cell = ''; } else if (c === '\n') { row.push(cell); rows.push(row); row = []; cell = ''; } else cell += c; } return rows; }
const [head, ...rows] = parseCSV(csv); console.log(head, rows);
const records = rows.map((r) => Object.fromEntries(r.map((v, i) => [head[i], v]))); console.log(records);
console.log(JSON.stringify(records)); console.log(JSON.stringify(records[0], null, 2)); console.log(JSON.stringify({ a: [1, { b: 2 }], c: undefined, d: () => 1, e: NaN, f: new Date(0), g: null, h: Infinity }, null, '--'));
console.log(JSON.stringify({ keep: 1, drop: 2, nested: { keep: 3, drop: 4 } }, ['keep', 'nested'])); console.log(JSON.stringify({ a: 1, b: 'x' }, (k, v) => (typeof v === 'number' ? v + 1 : v)));
console.log(JSON.parse('{"d":"2024-01-01T00:00:00.000Z","n":[1,2,{"x":null}]}', (k, v) => (k === 'd' ? new Date(v) : v)));
console.log(JSON.stringify('quotes " and \\ and \n and \u2028 é 😀'), JSON.stringify([undefined, function () {}, Symbol()]), JSON.stringify({ toJSON() { return 'custom'; } }));
const c = {}; c.self = c; try { JSON.stringify(c); } catch (e) { console.log(e.name, e.message.split('\n')[0]); }
const esc = (v) => (/[",\n]/.test(v) ? `"${v.replaceAll('"', '""')}"` : v); console.log([head, ...rows].map((r) => r.map(esc).join(',')).join('\n') === csv.trim());
try { JSON.parse('{"a": 1,}'); } catch (e) { console.log(e.name); } try { JSON.stringify(1n); } catch (e) { console.log(e.name); }
