package guestfs

import (
	"os"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
)

func TestTheBaseAnswersForTheRoot(t *testing.T) {
	dir, data := t.TempDir(), t.TempDir()
	rooted := func(dir string) func() (*os.Root, error) {
		return func() (*os.Root, error) { return os.OpenRoot(dir) }
	}
	f := new(FS)
	defer func() { _ = f.Close() }()
	err := f.Bind(Options{
		Mounts: []Mount{
			{Guest: "/app", Writable: true, Root: rooted(dir)},
			{Guest: "/data/deep", Root: rooted(data)},
		},
		Virtual: map[string]Virtual{Reserved + "/program": {Data: []byte("x")}},
		Base:    "/app",
		Limits:  Limits{MaxBytes: 1000, MaxFiles: 10},
	})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		path string
		flag sys.Oflag
		want sys.Errno
	}{
		{"/made", sys.O_RDWR | sys.O_CREAT, 0},
		{"/app/made", sys.O_RDONLY, 0},
		{"made", sys.O_RDONLY, 0},
		{"/", sys.O_RDONLY | sys.O_DIRECTORY, 0},
		{"/missing", sys.O_RDONLY, sys.ENOENT},
		{"/data", sys.O_RDONLY | sys.O_DIRECTORY, 0},
		{"/data/made", sys.O_RDWR | sys.O_CREAT, sys.EROFS}, // a directory of the table's own
		{"/data/deep/made", sys.O_RDWR | sys.O_CREAT, sys.EROFS},
		{Reserved + "/program", sys.O_RDONLY, 0},
		{Reserved, sys.O_RDONLY, sys.ENOENT},
		{Reserved + "/made", sys.O_RDWR | sys.O_CREAT, sys.EROFS},
		{"/../made", sys.O_RDONLY, sys.EPERM},
	}
	for _, tt := range tests {
		file, errno := f.OpenFile(tt.path, tt.flag, 0o600)
		if errno == 0 {
			_ = file.Close()
		}
		if errno != tt.want {
			t.Errorf("open %q: %v, want %v", tt.path, errno, tt.want)
		}
	}
	if _, err := os.Stat(dir + "/made"); err != nil {
		t.Error(err)
	}
	if got := f.Journal().Created; len(got) != 1 || got[0] != "/app/made" {
		t.Errorf("created %q", got)
	}
}
