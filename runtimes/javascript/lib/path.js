__define('path', (module, exports, require) => {
'use strict';
const { badType } = require('internal/errors');

function check(path, name = 'path') {
  if (typeof path !== 'string') throw badType(name, 'string', path);
}

// normalizeParts drops "." and resolves ".."; above the start ".." stays unless
// the path is absolute.
function normalizeParts(path, absolute) {
  const parts = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (!absolute) parts.push('..');
  }
  return parts.join('/');
}

const cwd = () => require('process').cwd();

// unclean finds what normalizing would change.
const unclean = /\/\/|(?:^|\/)\.\.?(?:\/|$)|\/$/;

const posix = {
  resolve(...paths) {
    if (paths.length === 1 && typeof paths[0] === 'string' && paths[0] !== '' && !unclean.test(paths[0])) {
      if (paths[0][0] === '/') return paths[0];
      const working = cwd();
      return working === '/' ? `/${paths[0]}` : `${working}/${paths[0]}`;
    }
    let resolved = '';
    let absolute = false;
    for (let i = paths.length - 1; i >= -1 && !absolute; i--) {
      const path = i >= 0 ? paths[i] : cwd();
      check(path, `paths[${i}]`);
      if (path === '') continue;
      resolved = `${path}/${resolved}`;
      absolute = path[0] === '/';
    }
    resolved = normalizeParts(resolved, absolute);
    if (absolute) return `/${resolved}`;
    return resolved || '.';
  },
  normalize(path) {
    check(path);
    if (path === '') return '.';
    const absolute = path[0] === '/';
    let normal = normalizeParts(path, absolute);
    if (normal === '') return absolute ? '/' : path.endsWith('/') ? './' : '.';
    if (path.endsWith('/')) normal += '/';
    return absolute ? `/${normal}` : normal;
  },
  isAbsolute(path) {
    check(path);
    return path[0] === '/';
  },
  join(...paths) {
    for (const path of paths) check(path);
    const joined = paths.filter((path) => path !== '').join('/');
    return joined === '' ? '.' : posix.normalize(joined);
  },
  relative(from, to) {
    check(from, 'from');
    check(to, 'to');
    from = posix.resolve(from);
    to = posix.resolve(to);
    if (from === to) return '';
    const a = from === '/' ? [] : from.slice(1).split('/');
    const b = to === '/' ? [] : to.slice(1).split('/');
    let same = 0;
    while (same < a.length && same < b.length && a[same] === b[same]) same++;
    return [...a.slice(same).map(() => '..'), ...b.slice(same)].join('/');
  },
  toNamespacedPath: (path) => path,
  dirname(path) {
    check(path);
    const bare = path.replace(/\/+$/, '');
    if (bare === '') return path === '' ? '.' : '/';
    const at = bare.lastIndexOf('/');
    if (at < 0) return '.';
    return bare.slice(0, at).replace(/\/+$/, '') || '/';
  },
  basename(path, suffix) {
    if (suffix !== undefined) check(suffix, 'suffix');
    check(path);
    const bare = path.replace(/\/+$/, '');
    const base = bare.slice(bare.lastIndexOf('/') + 1);
    if (suffix !== undefined && base !== suffix && base.endsWith(suffix)) return base.slice(0, base.length - suffix.length);
    return base;
  },
  extname(path) {
    check(path);
    const base = posix.basename(path);
    const at = base.lastIndexOf('.');
    if (at <= 0 || base === '..') return '';
    return base.slice(at);
  },
  format(parts) {
    if (parts === null || typeof parts !== 'object') throw badType('pathObject', 'Object', parts);
    const dir = parts.dir || parts.root;
    let ext = parts.ext ?? '';
    if (ext && ext[0] !== '.') ext = `.${ext}`;
    const base = parts.base || `${parts.name || ''}${ext}`;
    if (!dir) return base;
    return dir === parts.root ? `${dir}${base}` : `${dir}/${base}`;
  },
  parse(path) {
    check(path);
    const root = path[0] === '/' ? '/' : '';
    const base = posix.basename(path);
    const ext = posix.extname(path);
    let dir = posix.dirname(path);
    if (dir === '.' && !/^\.\/+[^/]/.test(path)) dir = '';
    return { root, dir, base, ext, name: ext === '' ? base : base.slice(0, -ext.length) };
  },
  sep: '/',
  delimiter: ':',
  win32: null,
  posix: null,
};
posix.posix = posix;
posix.win32 = posix;
module.exports = posix;
});
