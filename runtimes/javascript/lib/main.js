// The last file: what must be warm is loaded, the globals are set, and the
// driver gets its hooks.
(() => {
'use strict';
const define = globalThis.__define;
delete globalThis.__define;
define('internal/library', (module) => {
  module.exports = {
    require: define.require,
    has: define.has,
    names: () => define.names().filter((name) => !name.startsWith('internal/')).sort(),
  };
});
const { require } = define;
require('internal/primordials');
delete globalThis.__host;
require('internal/errors');
const { hooks, run, keeping } = require('internal/main');
require('internal/globals');
// Most programs that are more than a few lines read or write a file.
require('fs');
globalThis.__hooks = { run, keeping, resolve: hooks.resolve, load: hooks.load };
})();
