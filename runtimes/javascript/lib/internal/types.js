// What a value is, whatever it pretends to be.
__define('internal/types', (module, exports, require) => {
'use strict';
const p = require('internal/primordials');

// brand returns a test for instances of base: objects on which getter works. An
// object whose prototype was taken away is tried, too; others are not, because a
// failure costs an error.
function brand(base, getter, ...args) {
  const call = p.uncurry(getter);
  return (value) => {
    if (value === null || typeof value !== 'object') return false;
    if (!(value instanceof base) && p.prototypeOf(value) !== null) return false;
    try {
      call(value, ...args);
      return true;
    } catch {
      return false;
    }
  };
}

const getter = (object, name) => Object.getOwnPropertyDescriptor(object, name).get;
const typedArray = Object.getPrototypeOf(Uint8Array.prototype);
const typedArrayName = p.uncurry(getter(typedArray, Symbol.toStringTag));
const toStringOf = p.uncurry(Object.prototype.toString);
const tagged = (value, tag) => toStringOf(value) === `[object ${tag}]`;

const isMap = brand(Map, getter(Map.prototype, 'size'));
const isSet = brand(Set, getter(Set.prototype, 'size'));
const isDate = brand(Date, Date.prototype.getTime);
const isRegExp = brand(RegExp, getter(RegExp.prototype, 'source'));
const isWeakMap = brand(WeakMap, WeakMap.prototype.has, {});
const isWeakSet = brand(WeakSet, WeakSet.prototype.has, {});
const isArrayBuffer = brand(ArrayBuffer, getter(ArrayBuffer.prototype, 'byteLength'));
const isSharedArrayBuffer = typeof SharedArrayBuffer === 'function'
  ? brand(SharedArrayBuffer, getter(SharedArrayBuffer.prototype, 'byteLength')) : () => false;
const isNumberObject = brand(Number, Number.prototype.valueOf);
const isStringObject = brand(String, String.prototype.valueOf);
const isBooleanObject = brand(Boolean, Boolean.prototype.valueOf);
const isBigIntObject = brand(BigInt, BigInt.prototype.valueOf);
const isSymbolObject = brand(Symbol, Symbol.prototype.valueOf);
const isWeakRef = brand(WeakRef, WeakRef.prototype.deref);
const isTypedArray = (value) => p.isView(value) && typedArrayName(value) !== undefined;
const isDataView = (value) => p.isView(value) && typedArrayName(value) === undefined;

const promiseProto = Promise.prototype;
function isPromise(value) {
  if (value === null || typeof value !== 'object') return false;
  if (!(value instanceof p.Promise) && p.prototypeOf(value) !== promiseProto) return false;
  return p.host('promise', { value }).state !== undefined;
}

const captured = Error.isError;
function isError(value) {
  if (value === null || typeof value !== 'object') return false;
  return (captured !== undefined ? captured(value) : tagged(value, 'Error')) || value instanceof p.Error;
}

const generatorFunction = Object.getPrototypeOf(function* () {});
const asyncGeneratorFunction = Object.getPrototypeOf(async function* () {});
const asyncFunction = Object.getPrototypeOf(async () => {});
const isFunctionOf = (value, proto, tag) => typeof value === 'function'
  && (p.prototypeOf(value) === proto || (p.prototypeOf(value) !== Function.prototype && value[Symbol.toStringTag] === tag));
const isGeneratorFunction = (value) => isFunctionOf(value, generatorFunction, 'GeneratorFunction')
  || isFunctionOf(value, asyncGeneratorFunction, 'AsyncGeneratorFunction');
const isAsyncFunction = (value) => isFunctionOf(value, asyncFunction, 'AsyncFunction')
  || isFunctionOf(value, asyncGeneratorFunction, 'AsyncGeneratorFunction');

const mapIterator = Object.getPrototypeOf(new Map().entries());
const setIterator = Object.getPrototypeOf(new Set().values());
const isOf = (value, proto) => value !== null && typeof value === 'object' && p.prototypeOf(value) === proto;

// proxies knows the target of every proxy a program made: the language has no
// way to ask, and inspecting a proxy must not run its traps.
const proxies = new p.WeakMap();
const getProxy = p.uncurry(WeakMap.prototype.get);
const setProxy = p.uncurry(WeakMap.prototype.set);
let anyProxy = false;
const NativeProxy = p.Proxy;
function remember(proxy, target, handler) {
  anyProxy = true;
  setProxy(proxies, proxy, [target, handler]);
  return proxy;
}
const { revocable } = NativeProxy;
const Wrapped = new NativeProxy(NativeProxy, {
  __proto__: null,
  construct(target, args) {
    return remember(new NativeProxy(args[0], args[1]), args[0], args[1]);
  },
});
NativeProxy.revocable = function (target, handler) {
  const made = revocable(target, handler);
  const { proxy, revoke } = made;
  remember(proxy, target, handler);
  return {
    proxy,
    revoke() {
      setProxy(proxies, proxy, null);
      revoke();
    },
  };
};
p.define(NativeProxy, 'revocable', { enumerable: false });
globalThis.Proxy = Wrapped;
p.define(globalThis, 'Proxy', { enumerable: false });

// proxyOf returns [target, handler], null for a revoked proxy, undefined for
// what is none.
function proxyOf(value) {
  return anyProxy ? getProxy(proxies, value) : undefined;
}

const specific = {};
for (const name of ['Int8', 'Uint8', 'Uint8Clamped', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Float32', 'Float64', 'BigInt64', 'BigUint64']) {
  specific[`is${name}Array`] = (value) => p.isView(value) && typedArrayName(value) === `${name}Array`;
}

module.exports = {
  isMap, isSet, isDate, isRegExp, isWeakMap, isWeakSet, isArrayBuffer, isSharedArrayBuffer, isNumberObject, isStringObject,
  isBooleanObject, isBigIntObject, isSymbolObject, isTypedArray, isDataView, isPromise, isGeneratorFunction, isAsyncFunction,
  isNativeError: isError,
  isAnyArrayBuffer: (value) => isArrayBuffer(value) || isSharedArrayBuffer(value),
  isArrayBufferView: p.isView,
  isBoxedPrimitive: (value) => isNumberObject(value) || isStringObject(value) || isBooleanObject(value) || isBigIntObject(value)
    || isSymbolObject(value),
  isGeneratorObject: (value) => value !== null && typeof value === 'object' && (tagged(value, 'Generator') || tagged(value, 'AsyncGenerator')),
  isArgumentsObject: (value) => value !== null && typeof value === 'object' && !(Symbol.toStringTag in value) && tagged(value, 'Arguments'),
  isMapIterator: (value) => isOf(value, mapIterator),
  isSetIterator: (value) => isOf(value, setIterator),
  isModuleNamespaceObject: (value) => value !== null && typeof value === 'object' && p.prototypeOf(value) === null
    && p.descriptor(value, Symbol.toStringTag)?.value === 'Module' && !p.descriptor(value, Symbol.toStringTag).writable,
  isProxy: (value) => proxyOf(value) !== undefined,
  isExternal: () => false,
  isKeyObject: () => false,
  isCryptoKey: () => false,
  ...specific,
};
// Not for programs.
p.define(module.exports, 'internal', { value: { proxyOf, typedArrayName, isWeakRef, isError, tagged }, enumerable: false });
});
