// Makes files and directories until it may not, and fails of the rejection.
//
// status: disk_quota
// exit: 137
// files: 100
// error: disk_quota
const { mkdir, writeFile } = require('fs').promises;
(async () => {
  for (let i = 0; ; i++) await Promise.all([mkdir(`d/${i}`, { recursive: true }), writeFile(`f${i}`, '')]);
})();
