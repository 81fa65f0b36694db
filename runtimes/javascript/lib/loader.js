// The library's own module system. Every other file calls
// __define(name, body); a body runs the first time something requires it, and
// what main.js requires is therefore what a snapshot holds warm.
//
// A public module goes by its Node name ("fs/promises"); the rest by "internal/…".
globalThis.__define = (() => {
'use strict';
const bodies = { __proto__: null };
const loaded = { __proto__: null };

function require(name) {
  const found = loaded[name];
  if (found !== undefined) return found.exports;
  const body = bodies[name];
  if (body === undefined) throw new Error(`the library has no module ${name}`);
  const module = { exports: {} };
  loaded[name] = module;
  body(module, module.exports, require);
  return module.exports;
}

function define(name, body) {
  bodies[name] = body;
}
define.require = require;
define.has = (name) => bodies[name] !== undefined;
define.names = () => Object.keys(bodies);
return define;
})();
