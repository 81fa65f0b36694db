// The order of things in an ES module.
console.log('1'); process.nextTick(() => console.log('tick')); Promise.resolve().then(() => console.log('micro')); setTimeout(() => console.log('timeout'), 0);
await null; console.log('after await'); await new Promise((r) => setTimeout(r, 5)); console.log('after sleep');
