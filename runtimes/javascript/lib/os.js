__define('os', (module, exports, require) => {
'use strict';
const { numbers } = require('internal/errors');

const process = () => require('process');
module.exports = {
  EOL: '\n',
  devNull: '/dev/null',
  arch: () => process().arch,
  availableParallelism: () => 1,
  cpus: () => [{ model: 'sandbox', speed: 0, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 } }],
  endianness: () => 'LE',
  freemem: () => process().memoryUsage().rss,
  getPriority: () => 0,
  homedir: () => process().env.HOME ?? '/app',
  hostname: () => 'sandbox',
  loadavg: () => [0, 0, 0],
  machine: () => 'wasm32',
  networkInterfaces: () => ({}),
  platform: () => 'linux',
  release: () => '1.0.0',
  setPriority() {},
  tmpdir: () => process().env.TMPDIR ?? '/tmp',
  totalmem: () => process().memoryUsage().rss,
  type: () => 'Linux',
  uptime: () => process().uptime(),
  userInfo: () => ({ uid: 1000, gid: 1000, username: 'sandbox', homedir: process().env.HOME ?? '/app', shell: null }),
  version: () => 'sandbox',
  constants: {
    signals: { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGKILL: 9, SIGTERM: 15 },
    errno: { ...numbers, __proto__: Object.prototype },
    priority: { PRIORITY_LOW: 19, PRIORITY_NORMAL: 0, PRIORITY_HIGH: -14 },
  },
};
});
