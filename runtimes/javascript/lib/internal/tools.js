// The global tools: functions of the program that embeds the sandbox. It is there only
// in calls that the host offers tools to.
__define('internal/tools', (module, exports, require) => {
'use strict';
const p = require('internal/primordials');
const { host } = p;
const loop = require('internal/loop');

// ToolError says that a tool gave no answer. kind is "failed" for an error of the tool's
// own, "invalid" for arguments that it does not take, "unknown" where there is no such
// tool, "timeout", or "limit".
class ToolError extends Error {
  constructor(message, tool, kind = 'failed') {
    super(message);
    this.tool = tool;
    this.kind = kind;
  }
}
p.define(ToolError.prototype, 'name', { value: 'ToolError', writable: true, configurable: true, enumerable: false });

// start begins a call and returns the promise of its answer.
function start(tool, args) {
  return new p.Promise((resolve, reject) => {
    if (args === null || typeof args !== 'object' || p.isArray(args)) {
      throw new p.TypeError(`tools.${tool}() takes one object with the arguments`);
    }
    const text = p.stringify(args);
    if (text === undefined) throw new p.TypeError(`tools.${tool}() takes an object that JSON can hold`);
    const error = new ToolError('', tool); // here, where the stack is that of the call
    const { bytes } = host('utf8', { text });
    let id;
    try {
      id = host('tool_start', { name: tool }, bytes).id;
    } catch (e) {
      tell(error, p.replace(e.message, /^ENOENT: /, ''), e.code === 'ENOENT' ? 'unknown' : 'limit');
      throw error;
    }
    loop.expect(id, (done) => {
      if (done.kind === 'ok') {
        resolve(done.value);
        return;
      }
      tell(error, done.message, done.kind);
      reject(error);
    });
  });
}

function tell(error, message, kind) {
  p.define(error, 'message', { value: message, writable: true, configurable: true, enumerable: false });
  error.kind = kind;
}

// offer makes the object of what the host says of its tools.
function offer(list) {
  const tools = { __proto__: null };
  for (let i = 0; i < list.length; i++) {
    const { name, description, schema } = list[i];
    const fn = { [name]: (args = {}) => start(name, args) }[name];
    fn.description = description;
    if (schema !== undefined) fn.schema = schema;
    p.define(tools, name, { value: p.freeze(fn), enumerable: true });
  }
  p.define(tools, 'ToolError', { value: ToolError });
  return p.freeze(tools);
}

module.exports = { offer };
});
