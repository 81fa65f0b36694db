// Writes to a stream until the disk is full.
//
// status: disk_quota
// exit: 137
// disk: 1MiB
// error: disk_quota
const stream = require('fs').createWriteStream('big');
const more = () => { while (stream.write(Buffer.alloc(100_000))); };
stream.on('drain', more);
more();
