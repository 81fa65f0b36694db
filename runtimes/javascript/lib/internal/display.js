// display shows things to whoever called, beside the output.
__define('internal/display', (module, exports, require) => {
'use strict';
const { host } = require('internal/primordials');
const { coded, badType } = require('internal/errors');

const kinds = ['application/json', 'image/gif', 'image/jpeg', 'image/png', 'image/svg+xml', 'text/html', 'text/markdown', 'text/plain'];
const binary = (mime) => mime.startsWith('image/') && mime !== 'image/svg+xml';

// text is content as a bundle has it: text as it is, bytes in base64.
function text(content) {
  if (typeof content === 'string') return content;
  if (ArrayBuffer.isView(content)) return Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('base64');
  if (content instanceof ArrayBuffer) return Buffer.from(content).toString('base64');
  return JSON.stringify(content);
}

// bundle is a value in the forms that it has.
function bundle(value) {
  const forms = { __proto__: null, 'text/plain': typeof value === 'string' ? value : require('util').inspect(value) };
  try {
    const json = JSON.stringify(value);
    if (json !== undefined) forms['application/json'] = json;
  } catch {
    // It has cycles, or holds what JSON has not.
  }
  return forms;
}

// display shows a value: as text, and as JSON where it has such a form. With {mime},
// it is text or bytes of that type; an object whose keys are MIME types, with
// {bundle: true}, is one thing in several forms. A call may show 100 things of 8 MiB
// together.
function display(value, options = {}) {
  if (options === null || typeof options !== 'object') throw badType('options', 'of type object', options);
  const { mime, bundle: several = false } = options;
  let forms;
  if (mime !== undefined) forms = { __proto__: null, [mime]: text(value) };
  else if (!several) forms = bundle(value);
  else {
    forms = { __proto__: null };
    for (const kind of Object.keys(value)) forms[kind] = text(value[kind]);
  }
  for (const kind of Object.keys(forms)) {
    if (!kinds.includes(kind)) throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `display: ${JSON.stringify(kind)} cannot be shown; these can: ${kinds.join(', ')}`);
    if (binary(kind) && typeof forms[kind] !== 'string') throw badType('value', 'bytes', value);
  }
  tell({ display: forms });
}

function tell(what) {
  try {
    host('display', what);
  } catch (e) {
    if (e.code === 'ENOSPC') throw coded(Error, 'ENOSPC', 'display: this call has shown as much as it may, 8 MiB');
    throw e;
  }
}

// artifact declares a file as a result of the program's, for the caller to fetch.
function artifact(path, { title = '' } = {}) {
  const file = require('path').resolve('/app', path);
  if (!require('fs').statSync(file).isFile()) throw coded(Error, 'EISDIR', `artifact: ${JSON.stringify(path)} is not a file`);
  tell({ artifact: { path: file, title: `${title}` } });
}

module.exports = { display, artifact };
});
