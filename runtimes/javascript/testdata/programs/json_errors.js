// What JSON.parse says of broken texts.
for (const text of ['', '{', '[1,', '{"a" 1}', "{'a': 1}", 'hello', 'undefined', '[1 2]', '{"a":1,}', '"open', 'tru', '01', '1.', '[1,,2]', '{"a":1}}', '\u00e9', '<html>', '"tab\there"', 'NaN', '{"key": value}', '-', '{"a":"b" "c"}', JSON.stringify({ long: 'x'.repeat(60) }) + '!']) {
  try { console.log(JSON.parse(text)); } catch (e) { console.log(e.name, JSON.stringify(text.slice(0, 20)), e.message.replace(/ \(line \d+ column \d+\)/, '')); }
}
