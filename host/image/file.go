package image

import (
	"hash/crc32"
	"os"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum guards against damage, not against malice: whoever can write the
// cache can write code into it.
func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// writeFile writes a new file and syncs it.
func writeFile(name string, data []byte) (err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the caller's cache
	if err != nil {
		return err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}
