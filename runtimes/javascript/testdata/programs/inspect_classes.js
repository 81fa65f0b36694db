// Instances, accessors, symbols, inheritance, toStringTag.
class Point { constructor(x, y) { this.x = x; this.y = y; } get length() { return Math.hypot(this.x, this.y); } }
class Point3 extends Point { #secret = 1; static count = 0; constructor(x, y, z) { super(x, y); this.z = z; } }
console.log(new Point(1, 2), new Point3(1, 2, 3), Point, Point3, [Point3]);
console.log({ get a() { return 1; }, set a(v) {}, get b() { return 2; }, set c(v) {} });
console.log(Object.defineProperty({ visible: 1 }, 'hidden', { value: 2, enumerable: false }));
class Tagged { get [Symbol.toStringTag]() { return 'Custom'; } }
console.log(new Tagged(), Object.prototype.toString.call(new Tagged()));
console.log(new (class {})(), new (class Foo {})(), Object.create(Point.prototype));
function Legacy(n) { this.n = n; }
Legacy.prototype.say = function () {};
console.log(new Legacy(3), Legacy, Legacy.prototype);
const fn = function named() {};
fn.prop = 'value';
console.log(fn, Object.assign(() => {}, { a: 1, b: { c: 2 } }));
console.log(Point.prototype, Object.getPrototypeOf(new Point3()), Point3.name);
console.log({ point: new Point(1, 2), nested: { deep: { point: new Point(3, 4) } } });
class Temp { constructor(c) { this.c = c; } [Symbol.for('nodejs.util.inspect.custom')](depth, options) { return `Temp<${this.c}>`; } }
console.log(new Temp(20), [new Temp(1)], { t: new Temp(2) });
