// The modules that a sandbox cannot have. Requiring one works, because programs
// often do without using it; using it says what to do instead.
(() => {
'use strict';
const network = 'there is no network in this sandbox: put the data into the workspace or pass it on standard input';
const processes = 'a sandbox runs one program: do the work in this one';
const absent = {
  child_process: [processes, ['exec', 'execFile', 'fork', 'spawn', 'execSync', 'execFileSync', 'spawnSync', 'ChildProcess']],
  cluster: [processes, ['fork', 'setupPrimary', 'Worker'], { isMaster: true, isPrimary: true, isWorker: false, workers: {} }],
  worker_threads: [processes, ['Worker', 'moveMessagePortToContext', 'receiveMessageOnPort'],
    { isMainThread: true, parentPort: null, workerData: null, threadId: 0 }],
  net: [network, ['connect', 'createConnection', 'createServer', 'Socket', 'Server']],
  tls: [network, ['connect', 'createServer', 'TLSSocket']],
  dgram: [network, ['createSocket', 'Socket']],
  dns: [network, ['lookup', 'resolve', 'resolve4', 'resolve6', 'reverse']],
  http: [network, ['request', 'get', 'createServer', 'Server', 'Agent', 'ClientRequest'],
    { METHODS: ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'], STATUS_CODES: {
      200: 'OK', 201: 'Created', 202: 'Accepted', 204: 'No Content', 301: 'Moved Permanently', 302: 'Found', 304: 'Not Modified',
      400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed', 409: 'Conflict', 418: "I'm a Teapot",
      429: 'Too Many Requests', 500: 'Internal Server Error', 501: 'Not Implemented', 502: 'Bad Gateway', 503: 'Service Unavailable' } }],
  https: [network, ['request', 'get', 'createServer', 'Server', 'Agent']],
  http2: [network, ['connect', 'createServer', 'createSecureServer']],
  zlib: ['compression is not available in this sandbox: write the data as it is',
    ['gzip', 'gunzip', 'deflate', 'inflate', 'deflateRaw', 'inflateRaw', 'unzip', 'brotliCompress', 'brotliDecompress', 'gzipSync', 'gunzipSync',
      'deflateSync', 'inflateSync', 'deflateRawSync', 'inflateRawSync', 'unzipSync', 'brotliCompressSync', 'brotliDecompressSync', 'createGzip',
      'createGunzip', 'createDeflate', 'createInflate', 'createBrotliCompress', 'createBrotliDecompress', 'crc32']],
  vm: ['there are no contexts inside a sandbox: use new Function() or eval()',
    ['createContext', 'runInContext', 'runInNewContext', 'runInThisContext', 'compileFunction', 'Script', 'SourceTextModule'], { isContext: () => false }],
  v8: ['this engine is QuickJS, not V8', ['getHeapStatistics', 'getHeapSnapshot', 'serialize', 'deserialize', 'setFlagsFromString', 'writeHeapSnapshot']],
  inspector: ['a program in a sandbox cannot be debugged', ['open', 'close', 'Session'], { url: () => undefined }],
  repl: ['there is no terminal in a sandbox', ['start', 'REPLServer']],
  tty: ['there is no terminal in a sandbox', ['ReadStream', 'WriteStream'], { isatty: () => false }],
};
for (const name of Object.keys(absent)) {
  globalThis.__define(name, (module, exports, require) => {
    const { unavailable } = require('internal/errors');
    const [reason, names, values] = absent[name];
    for (const member of names) {
      exports[member] = { [member]: function () {
        throw unavailable(`${name}.${member} is not available: ${reason}`);
      } }[member];
    }
    Object.assign(exports, values);
    if (name === 'dns') {
      exports.promises = Object.fromEntries(names.map((member) => [member, async () => exports[member]()]));
    }
    if (name === 'worker_threads') Object.assign(exports, {
      MessageChannel: globalThis.MessageChannel, MessagePort: globalThis.MessagePort, BroadcastChannel: globalThis.BroadcastChannel,
    });
  });
}
globalThis.__define('dns/promises', (module, exports, require) => {
  module.exports = require('dns').promises;
});
})();
