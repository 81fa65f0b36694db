// stdin: "some words to count, some more words"
let input = ''; process.stdin.setEncoding('utf8'); process.stdin.on('data', (c) => { input += c; }); process.stdin.on('end', () => { const counts = {}; for (const w of input.match(/\w+/g)) counts[w] = (counts[w] || 0) + 1; console.log(counts); });
