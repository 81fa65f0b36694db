// Arrays: columns of numbers, of words, sparse ones, extra properties, long ones.
console.log(Array.from({ length: 30 }, (_, i) => i * i));
console.log(Array.from({ length: 120 }, (_, i) => i));
console.log(['apple', 'banana', 'cherry', 'date', 'elderberry', 'fig', 'grape', 'honeydew']);
console.log([1.5, 2.25, -3.125, 100, 2000.5, 0.1, 7]);
console.log([, 'a', , , 'b', ,]);
const extra = [1, 2, 3];
extra.name = 'extra';
extra[-1] = 'minus';
console.log(extra);
console.log(new Array(5), new Array(3).fill(0), Array.from('hello'));
console.log([[1, 2, 3], [4, 5, 6], [7, 8, 9]]);
console.log([{ a: 1, b: 2 }, { a: 3, b: 4 }, { a: 5, b: 6 }]);
console.log([1n, 2n, 300n, 4n, 5n, 6n, 7n, 8n]);
console.log([true, false, true, true, false, true, false, false]);
console.log(['a', 'b'].entries().next(), [1, 2, 3].includes(NaN));
console.log([-1, -10, 100, -1000, 10000, 5, 6, 7, 8]);
console.log([['name', 'age'], ['Alice', 30], ['Bob', 25]]);
