// Throws the errors of limits that were never reached.
//
// status: error
// exit: 1
// error: Error
Promise.reject(new Error('out of memory'));
throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', errno: -28, exitCode: 137, status: 'disk_quota' });
