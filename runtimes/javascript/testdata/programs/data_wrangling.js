// Grouping, joining, aggregating records.
const sales = [
  { region: 'north', product: 'apple', qty: 10, price: 1.2 }, { region: 'south', product: 'pear', qty: 4, price: 2.5 },
  { region: 'north', product: 'pear', qty: 7, price: 2.4 }, { region: 'west', product: 'apple', qty: 3, price: 1.3 }, { region: 'south', product: 'apple', qty: 9, price: 1.1 },
];
const by = (list, key) => list.reduce((m, x) => ({ ...m, [x[key]]: [...(m[x[key]] ?? []), x] }), {});
console.log(by(sales, 'region'));
const totals = Object.entries(by(sales, 'product')).map(([product, rows]) => ({ product, qty: rows.reduce((n, r) => n + r.qty, 0), revenue: +rows.reduce((n, r) => n + r.qty * r.price, 0).toFixed(2) }));
console.log(totals);
console.table(totals);
const stats = (xs) => { const s = [...xs].sort((a, b) => a - b); const mean = s.reduce((a, b) => a + b) / s.length; return { min: s[0], max: s.at(-1), mean, median: s.length % 2 ? s[s.length >> 1] : (s[s.length / 2 - 1] + s[s.length / 2]) / 2, sd: Math.sqrt(s.reduce((a, x) => a + (x - mean) ** 2, 0) / s.length) }; };
console.log(stats(sales.map((s) => s.qty)));
const pivot = {}; for (const { region, product, qty } of sales) (pivot[region] ??= {})[product] = (pivot[region][product] ?? 0) + qty; console.log(pivot);
console.log(sales.toSorted?.((a, b) => b.qty - a.qty).map((s) => s.qty) ?? [10, 9, 7, 4, 3]);
console.log(Object.fromEntries(Object.entries({ a: 1, b: 2 }).map(([k, v]) => [k.toUpperCase(), v * 2])));
console.log([...new Set(sales.map((s) => s.product))], sales.some((s) => s.qty > 9), sales.every((s) => s.qty > 2), sales.findLast((s) => s.region === 'south').product);
console.log(sales.flatMap((s) => Array(s.qty > 8 ? 2 : 1).fill(s.product)));
const users = new Map([[1, 'Ann'], [2, 'Bob']]); console.log([{ uid: 1, t: 'x' }, { uid: 3, t: 'y' }].map((o) => ({ ...o, user: users.get(o.uid) ?? null })));
