// stdin: "3\n10 20 30\nh\u00e9llo \ud83d\ude00\n"
const text = require('fs').readFileSync(0, 'utf8'); const [n, nums, word] = text.trim().split('\n'); console.log(Number(n), nums.split(' ').map(Number).reduce((a, b) => a + b), word, [...word].length, Buffer.byteLength(word));
