// require and import: how names become files, and files modules.
__define('internal/modules', (module, exports, require) => {
'use strict';
const p = require('internal/primordials');
const { host, startsWith, endsWith, includes, slice, test, exec } = p;
const { coded, badType, badValue, sources } = require('internal/errors');
const files = require('internal/files');
const path = require('path');
const library = require('internal/library');

const bare = (name) => (startsWith(name, 'node:') ? slice(name, 5) : name);

function isBuiltin(name) {
  name = bare(`${name}`);
  return !startsWith(name, 'internal/') && library.has(name);
}

function builtin(name) {
  return library.require(bare(name));
}

// --- names and files

const extensions = ['.js', '.json', '.cjs', '.mjs', '.ts', '.mts', '.cts'];

function asFile(name) {
  if (files.kindOf(name) === 'file') return name;
  for (let i = 0; i < extensions.length; i++) if (files.kindOf(name + extensions[i]) === 'file') return name + extensions[i];
  // What TypeScript's programs write: "./x.js" for x.ts.
  const m = exec(/^(.*)\.([cm]?)js$/, name);
  if (m !== null && files.kindOf(`${m[1]}.${m[2]}ts`) === 'file') return `${m[1]}.${m[2]}ts`;
  return undefined;
}

const packages = new p.SafeMap();

// packageIn returns the package.json of a folder, or undefined.
function packageIn(folder) {
  const name = `${folder}/package.json`;
  if (packages.has(name)) return packages.get(name);
  let found;
  if (files.kindOf(name) === 'file') {
    try {
      found = p.parseJSON(files.readText(name));
    } catch (e) {
      e.message = `Error parsing ${name}: ${e.message}`;
      throw e;
    }
  }
  packages.set(name, found);
  return found;
}

function packageOf(file) {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const found = packageIn(folder);
    if (found !== undefined) return { ...found, folder };
    if (folder === '/' || folder === '/app' || folder === '.') return undefined;
  }
}

function asFolder(name) {
  if (files.kindOf(name) !== 'directory') return undefined;
  const main = packageIn(name)?.main;
  if (typeof main === 'string') {
    const target = path.join(name, main);
    const found = asFile(target) ?? asFile(path.join(target, 'index'));
    if (found !== undefined) return found;
  }
  return asFile(path.join(name, 'index'));
}

// target picks from "exports" and "imports": conditions in the order of the file.
function target(entry, conditions, star) {
  if (typeof entry === 'string') return star === undefined ? entry : entry.replaceAll('*', star);
  if (p.isArray(entry)) {
    for (let i = 0; i < entry.length; i++) {
      const found = target(entry[i], conditions, star);
      if (found != null) return found;
    }
    return undefined;
  }
  if (entry !== null && typeof entry === 'object') {
    const names = p.keys(entry);
    for (let i = 0; i < names.length; i++) {
      if (names[i] !== 'default' && !conditions.includes(names[i])) continue;
      const found = target(entry[names[i]], conditions, star);
      if (found !== undefined) return found;
    }
  }
  return entry === null ? null : undefined;
}

function fromMap(map, key, conditions) {
  if (p.hasOwn(map, key) && !includes(key, '*')) return target(map[key], conditions);
  let best;
  for (const pattern of p.keys(map)) {
    const star = p.indexOf(pattern, '*');
    if (star < 0 || !startsWith(key, slice(pattern, 0, star)) || !endsWith(key, slice(pattern, star + 1))) continue;
    if (best === undefined || star > p.indexOf(best, '*')) best = pattern;
  }
  if (best === undefined) return undefined;
  const star = p.indexOf(best, '*');
  return target(map[best], conditions, slice(key, star, key.length - (best.length - star - 1)));
}

function fromPackage(folder, subpath, conditions, name) {
  const found = packageIn(folder);
  if (found?.exports != null) {
    let map = found.exports;
    if (typeof map === 'string' || p.isArray(map) || !p.keys(map).some((key) => key[0] === '.')) map = { '.': map };
    const to = fromMap(map, subpath, conditions);
    if (to == null) {
      throw coded(Error, 'ERR_PACKAGE_PATH_NOT_EXPORTED', subpath === '.'
        ? `No "exports" main defined in ${folder}/package.json`
        : `Package subpath '${subpath}' is not defined by "exports" in ${folder}/package.json`);
    }
    return path.join(folder, to);
  }
  if (subpath === '.') return asFolder(folder);
  const at = path.join(folder, subpath);
  return asFile(at) ?? asFolder(at);
}

// find returns the file that a name means in folder, or undefined.
function find(name, folder, conditions) {
  if (startsWith(name, 'file:')) name = builtin('url').fileURLToPath(name);
  if (name[0] === '/' || test(/^\.\.?(\/|$)/, name)) {
    const at = path.resolve(folder, name);
    return (endsWith(name, '/') ? undefined : asFile(at)) ?? asFolder(at);
  }
  if (name[0] === '#') {
    const own = packageOf(path.join(folder, 'x'));
    const to = own?.imports && fromMap(own.imports, name, conditions);
    if (typeof to !== 'string') return undefined;
    return test(/^\.\.?\//, to) ? path.join(own.folder, to) : find(to, own.folder, conditions);
  }
  const m = exec(/^((?:@[^/]+\/)?[^/]+)(\/.*)?$/, name);
  if (m === null) return undefined;
  const subpath = `.${m[2] ?? ''}`;
  for (let at = folder; ; at = path.dirname(at)) {
    const home = path.join(at, 'node_modules', m[1]);
    if (files.kindOf(home) === 'directory') {
      const found = fromPackage(home, subpath, conditions, name);
      if (found !== undefined) return found;
    } else if (m[2] === undefined) {
      const file = asFile(home);
      if (file !== undefined) return file;
    }
    if (at === '/' || at === '.') break;
  }
  const own = packageOf(path.join(folder, 'x'));
  if (own?.name === m[1] && own.exports != null) return fromPackage(own.folder, subpath, conditions, name);
  return undefined;
}

// --- compiling

const typed = /\.[cm]?ts$/;
const wrapperStart = '(function (exports, require, module, __filename, __dirname) { ';
const asyncStart = '(async function (exports, require, module, __filename, __dirname) { ';
const wrapperEnd = '\n})';

function compile(code, filename, kind, prefix = '', suffix = '') {
  sources.set(filename, { text: code, shift: prefix.length });
  const body = startsWith(code, '#!') ? `//${slice(code, 2)}` : code;
  return host('eval', { code: prefix + body + suffix, filename, kind }).value;
}

function read(file) {
  const code = files.readText(file);
  return test(typed, file) ? host('typescript', { filename: file, code }).code : code;
}

// isModuleFile says whether a file holds an ES module by its name or package;
// undefined if only its code can tell.
function isModuleFile(file) {
  if (test(/\.m[jt]s$/, file)) return true;
  if (test(/\.c[jt]s$/, file)) return false;
  const type = packageOf(file)?.type;
  return type === undefined ? undefined : type === 'module';
}

const moduleSyntax = /^[ \t]*(?:import\s*(?:[\w${*]|["'])|export\s*(?:default\b|const\b|let\b|var\b|function\b|class\b|async\b|[{*]))/m;

// isModuleCode says whether code can only be an ES module: it has lines that look
// like import or export, which may be lines of a text, and is no script.
function isModuleCode(code, file) {
  if (!test(moduleSyntax, code)) return false;
  try {
    compile(code, file, 'script', wrapperStart, wrapperEnd);
    return false;
  } catch (e) {
    return e instanceof SyntaxError;
  }
}

// --- CommonJS

const cache = { __proto__: null };

class Module {
  constructor(id = '', parent) {
    this.id = id;
    this.path = path.dirname(id);
    this.exports = {};
    this.filename = null;
    this.loaded = false;
    this.children = [];
    p.define(this, 'paths', {
      get: () => pathsOf(this.path), set: (value) => p.define(this, 'paths', { value, writable: true }), enumerable: true, configurable: true,
    });
    p.define(this, 'parent', { value: parent, enumerable: false, writable: true, configurable: true });
    parent?.children.push(this);
  }

  require(name) {
    return load(name, this);
  }

  _compile(code, filename) {
    const run = compile(code, filename, 'script', wrapperStart, wrapperEnd);
    return p.apply(run, this.exports, [this.exports, requireOf(this), this, filename, path.dirname(filename)]);
  }
}

function pathsOf(folder) {
  const found = [];
  for (let at = folder; ; at = path.dirname(at)) {
    if (path.basename(at) !== 'node_modules') found.push(path.join(at, 'node_modules'));
    if (at === '/' || at === '.') return found;
  }
}

const requireConditions = ['node', 'require', 'module-sync'];
const importConditions = ['node', 'import', 'module-sync'];

function resolveFor(name, from) {
  if (typeof name !== 'string') throw badType('id', 'string', name);
  if (name === '') throw badValue('id', name, 'must be a non-empty string');
  if (isBuiltin(name)) return name;
  if (startsWith(name, 'node:')) throw coded(Error, 'ERR_UNKNOWN_BUILTIN_MODULE', `No such built-in module: ${name}`);
  const found = find(name, from.filename ? path.dirname(from.filename) : require('process').cwd(), requireConditions);
  if (found !== undefined) return found;
  const stack = [];
  for (let at = from; at?.filename; at = at.parent) stack.push(at.filename);
  const error = new Error(`Cannot find module '${name}'${stack.length > 0 ? `\nRequire stack:\n- ${stack.join('\n- ')}` : ''}`);
  error.code = 'MODULE_NOT_FOUND';
  error.requireStack = stack;
  throw error;
}

function load(name, from) {
  if (typeof name === 'string' && isBuiltin(name)) return builtin(name);
  const file = resolveFor(name, from);
  const known = cache[file];
  if (known !== undefined) {
    if (!from.children.includes(known)) from.children.push(known);
    return known.exports;
  }
  const made = new Module(file, from);
  made.filename = file;
  cache[file] = made;
  try {
    fill(made, file);
    made.loaded = true;
  } catch (e) {
    delete cache[file];
    throw e;
  }
  return made.exports;
}

function fill(made, file) {
  if (endsWith(file, '.json')) {
    made.exports = readJSON(file);
    return;
  }
  if (endsWith(file, '.node')) throw coded(Error, 'ERR_DLOPEN_FAILED', `Cannot load ${file}: there are no native modules in a sandbox`);
  const isModule = isModuleFile(file);
  const code = read(file);
  if (isModule ?? isModuleCode(code, file)) made.exports = requireModule(file);
  else made._compile(code, file);
}

function readJSON(file) {
  try {
    return p.parseJSON(files.readText(file));
  } catch (e) {
    e.message = `${file}: ${e.message}`;
    throw e;
  }
}

// requireModule gives require() an ES module's namespace. Its top level must not
// wait.
function requireModule(file) {
  const promise = host('eval', { code: `import(${p.stringify(file)})`, filename: 'node:require', kind: 'script' }).value;
  p.then(promise, undefined, () => {});
  host('jobs');
  const { state, value } = host('promise', { value: promise });
  if (state === 'rejected') throw value;
  if (state === 'pending') {
    throw coded(Error, 'ERR_REQUIRE_ASYNC_MODULE', 'require() cannot be used on an ESM graph with top-level await. Use import() instead.');
  }
  return p.hasOwn(value, 'module.exports') ? value['module.exports'] : value;
}

// main is the program's module. It and its require are made before there is a program,
// which saves every call the time; runMain gives it a name.
let main;

function requireOf(from) {
  const fn = function require(name) {
    return from.require(name);
  };
  fn.resolve = (name, options) => {
    if (options?.paths === undefined) return resolveFor(name, from);
    for (const folder of options.paths) {
      const found = find(name, path.resolve(folder), requireConditions);
      if (found !== undefined) return found;
    }
    return resolveFor(name, from);
  };
  fn.resolve.paths = (name) => (isBuiltin(name) ? null : pathsOf(from.path));
  fn.main = main;
  fn.cache = cache;
  fn.extensions = Module._extensions;
  return fn;
}

function createRequire(filename) {
  if (typeof filename === 'object' || startsWith(`${filename}`, 'file:')) filename = builtin('url').fileURLToPath(filename);
  if (typeof filename !== 'string' || filename[0] !== '/') {
    throw badValue('filename', filename, 'must be a file URL object, file URL string, or absolute path string');
  }
  const made = new Module(filename);
  made.filename = endsWith(filename, '/') ? path.join(filename, 'noop.js') : filename;
  return requireOf(made);
}

Object.assign(Module, {
  Module, createRequire, isBuiltin,
  _cache: cache,
  _extensions: { '.js'() {}, '.json'() {} },
  _load: (name, from) => load(name, from),
  _resolveFilename: (name, from) => resolveFor(name, from ?? {}),
  _nodeModulePaths: pathsOf,
  wrap: (code) => wrapperStart + code + wrapperEnd,
  findPackageJSON: (from) => {
    const own = packageOf(path.resolve(`${from}`));
    return own && path.join(own.folder, 'package.json');
  },
  register() {},
  syncBuiltinESMExports() {},
});
Object.defineProperty(Module, 'builtinModules', { enumerable: true, get: () => library.names() });

main = new Module('.');
const requireOfMain = requireOf(main);

// --- ES modules

function resolveModule(name, referrer) {
  if (isBuiltin(name)) return `node:${bare(name)}`;
  if (startsWith(name, 'node:')) throw coded(Error, 'ERR_UNKNOWN_BUILTIN_MODULE', `No such built-in module: ${name}`);
  if (startsWith(name, 'data:')) return name;
  if (test(/^https?:/, name)) {
    throw coded(Error, 'ERR_UNSUPPORTED_ESM_URL_SCHEME', `Cannot import ${name}: a sandbox has no network. Put the file into the workspace.`);
  }
  const from = referrer[0] === '/' ? path.dirname(referrer) : require('process').cwd();
  const found = find(p.replace(name, /[?#].*$/, (rest) => (name[0] === '#' ? rest : '')), from, importConditions);
  if (found !== undefined) return found;
  const relative = name[0] === '/' || name[0] === '.' || startsWith(name, 'file:');
  const shown = relative ? `module '${path.resolve(from, name)}'` : `package '${exec(/^(?:@[^/]*\/)?[^/]*/, name)[0]}'`;
  throw coded(Error, 'ERR_MODULE_NOT_FOUND', `Cannot find ${shown} imported from ${referrer}`);
}

// held gives a synthesized module the values it exports, by its name.
const held = Symbol.for('sandboxd.module');
p.define(globalThis, held, { value: (name) => values.get(name), enumerable: false });
const values = new p.SafeMap();

// synthesize returns the source of a module that exports value and its
// properties.
function synthesize(name, value, named) {
  values.set(name, value);
  let code = `const m = globalThis[Symbol.for('sandboxd.module')](${p.stringify(name)});\nexport default m;\n`;
  if (named && value !== null && (typeof value === 'object' || typeof value === 'function')) {
    let i = 0;
    for (const key of p.names(value)) {
      if (key === 'default' || key === '__esModule' || !test(/^[A-Za-z_$][\w$]*$/, key)) continue;
      if (typeof value === 'function' && (key === 'length' || key === 'name' || key === 'prototype' || key === 'arguments' || key === 'caller')) continue;
      code += `const e${i} = m.${key}; export { e${i} as ${key} };\n`;
      i++;
    }
  }
  return code;
}

function loadModule(name) {
  if (startsWith(name, 'node:')) return synthesize(name, builtin(name), true);
  if (startsWith(name, 'data:')) {
    const m = exec(/^data:[^,]*?(;base64)?,(.*)$/s, name);
    return m[1] ? builtin('buffer').Buffer.from(m[2], 'base64').toString() : decodeURIComponent(m[2]);
  }
  if (endsWith(name, '.json')) return synthesize(name, readJSON(name), false);
  const code = read(name);
  if (isModuleFile(name) ?? isModuleCode(code, name)) return prepare(name, code);
  if (isModuleFile(name) === undefined && !test(/\b(?:require|module|exports)\b/, code)) return prepare(name, code);
  return synthesize(name, load(name, main ?? new Module('.')), true);
}

const metaURL = (file) => builtin('url').pathToFileURL(file).href;

function metaPrefix(file, code) {
  if (!includes(code, 'import.meta')) return '';
  const text = p.stringify;
  return `import.meta.dirname=${text(path.dirname(file))};import.meta.filename=${text(file)};import.meta.url=${text(metaURL(file))};`
    + `import.meta.resolve=(s)=>globalThis[Symbol.for('sandboxd.module')]('resolve')(s,${text(file)});`;
}

values.set('resolve', (name, from) => {
  const found = resolveModule(name, from);
  return found[0] === '/' ? metaURL(found) : found;
});

function prepare(file, code) {
  const prefix = metaPrefix(file, code);
  sources.set(file, { text: code, shift: prefix.length });
  return prefix + (startsWith(code, '#!') ? `//${slice(code, 2)}` : code);
}

// --- the program

// runMain runs the program of a call and returns the promise of its end, if it
// has one. What can be a script is one, whatever a package.json says: looking for
// that would cost more than most programs do.
function runMain({ filename, kind, code, stateful }) {
  const file = filename === '' ? '[eval]' : filename;
  if (filename === '') {
    main.id = '[eval]';
    main.filename = '/app/[eval]';
    main.path = '/app';
  } else {
    main.filename = filename;
    main.path = path.dirname(filename);
    cache[filename] = main;
  }
  if (p.charCodeAt(code, 0) === 0xfeff) code = slice(code, 1);
  if (kind === 'module') return runModule(file, code);
  let run;
  try {
    run = compile(code, file, 'script', wrapperStart, wrapperEnd);
    if (stateful) return runTurn(code, file, 'script');
  } catch (e) {
    if (run !== undefined) throw e;
    if (kind !== 'auto' || !(e instanceof SyntaxError)) throw e;
    if (test(moduleSyntax, code) || includes(code, 'import.meta')) return runModule(file, code);
    if (!test(/\bawait\b/, code)) throw e;
    try {
      run = compile(code, file, 'script', asyncStart, wrapperEnd);
    } catch {
      throw e;
    }
    if (stateful) return runTurn(code, file, 'async');
  }
  return start(run, file);
}

// runTurn runs a program in the global scope, where the next one finds what it
// declares. A name that an earlier program declared is free again: the engine refuses
// it before anything of the program runs.
function runTurn(code, file, kind) {
  const own = { require: requireOf(main), module: main, exports: main.exports, __filename: main.filename, __dirname: main.path };
  for (const name of p.keys(own)) p.define(globalThis, name, { value: own[name], writable: true, configurable: true, enumerable: false });
  main.loaded = true;
  for (;;) {
    try {
      const end = compile(code, file, kind);
      if (kind !== 'async') return undefined;
      const { state, value } = host('promise', { value: end });
      if (state !== 'rejected' || !freed(value)) return end;
      p.then(end, undefined, () => {});
    } catch (e) {
      if (!freed(e)) throw e;
    }
  }
}

// freed forgets the name that an error is about, if a program could not begin because
// of it: no code of its own is on the stack.
function freed(e) {
  if (!(e instanceof SyntaxError)) return false;
  const m = exec(/^SyntaxError: redeclaration of '(.*)'(?:\n    at [^\n]*:1:1)?$/, p.stringOf(e.stack));
  return m !== null && host('forget', { name: m[1] }).gone;
}

function runModule(file, code) {
  const name = file === '[eval]' ? '/app/[eval]' : file;
  const prefix = metaPrefix(name, code);
  if (name !== file) sources.set(file, { text: code, shift: prefix.length });
  return compile(code, name, 'module', prefix);
}

function start(run, file) {
  const result = p.apply(run, main.exports, [main.exports, requireOfMain, main, file === '[eval]' ? file : main.filename,
    file === '[eval]' ? '.' : main.path]);
  main.loaded = true;
  return result;
}

module.exports = { Module, isBuiltin, builtin, resolveModule, loadModule, runMain, createRequire };
});

__define('module', (module, exports, require) => {
module.exports = require('internal/modules').Module;
});
