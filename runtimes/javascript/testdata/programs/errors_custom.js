// Error classes, causes, aggregate errors, finally.
class AppError extends Error { constructor(message, options) { super(message, options); this.name = 'AppError'; this.code = 'E_APP'; } }
class NotFound extends AppError { constructor(what) { super(`${what} not found`); this.what = what; } }
function risky(n) { try { if (n > 1) throw new NotFound('item'); return 'fine'; } finally { console.log('finally', n); } }
console.log(risky(1));
try { risky(2); } catch (e) {
  console.log(e instanceof NotFound, e instanceof AppError, e instanceof Error, e.name, e.message, e.what, e.code);
  console.log(`${e}`, Object.prototype.toString.call(e), e.stack.split('\n')[0]);
}
try { try { JSON.parse('nope'); } catch (cause) { throw new Error('config is broken', { cause }); } } catch (e) { console.log(e.message, '<-', e.cause.name, e.cause.message); }
const agg = new AggregateError([new Error('one'), new TypeError('two')], 'many');
console.log(agg.message, agg.errors.map((x) => `${x.name}:${x.message}`));
Promise.any([Promise.reject(new Error('a')), Promise.reject(new Error('b'))]).catch((e) => console.log(e.constructor.name, e.message, e.errors.length));
const plain = { message: 'thrown object' };
try { throw plain; } catch (e) { console.log(e === plain, e); }
try { throw 'a string'; } catch { console.log('optional binding'); }
const noStack = new AppError('shown'); noStack.stack = `${noStack.name}: ${noStack.message}`; console.log(noStack, [noStack]);
console.log(Object.keys(noStack), JSON.stringify(noStack), 'message' in noStack, noStack.hasOwnProperty('message'));
label: for (let i = 0; i < 3; i++) { for (let j = 0; j < 3; j++) { if (j === 1) continue label; if (i === 2) break label; console.log(i, j); } }
