package guestfs

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"
	wazerosys "github.com/tetratelabs/wazero/sys"
)

// TestTimesOfAMountAreWhatItSays looks at a file and its directory, by name and by
// descriptor.
func TestTimesOfAMountAreWhatItSays(t *testing.T) {
	const shown = 1_700_000_000_123_456_789
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for writable, want := range map[bool]int64{true: shown, false: shown - shown%int64(time.Second)} {
		var f FS
		err := f.Bind(Options{Limits: roomy, Mounts: []Mount{{
			Guest: "/m", Writable: writable, Times: shown, Root: func() (*os.Root, error) { return os.OpenRoot(dir) },
		}}})
		if err != nil {
			t.Fatal(err)
		}
		check := func(name string, st wazerosys.Stat_t, errno sys.Errno) {
			t.Helper()
			if errno != 0 || st.Atim != want || st.Mtim != want || st.Ctim != want {
				t.Errorf("writable %t, %s: %+v, %v, want %d", writable, name, st, errno, want)
			}
		}
		for _, name := range []string{"m/f", "m"} {
			st, errno := f.Stat(name)
			check(name, st, errno)
			file, errno := f.OpenFile(name, sys.O_RDONLY, 0)
			if errno != 0 {
				t.Fatal(errno)
			}
			st, errno = file.Stat()
			check("open "+name, st, errno)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}
