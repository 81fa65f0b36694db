package host_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
)

// hashed is what a result says about a file with the given content.
func hashed(path, content string) host.File {
	sum := sha256.Sum256([]byte(content))
	return host.File{Path: path, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}
}

func TestFilesAreHashedHoweverTheProgramEnds(t *testing.T) {
	tests := []struct {
		name, end string
		status    host.Status
	}{
		{"by itself", "", host.StatusOK},
		{"with an exception", "1 / 0", host.StatusError},
		{"at once", "import os; os._exit(3)", host.StatusError},
		{"at its deadline", "while True: pass", host.StatusTimeout},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			run := func(limit time.Duration) (right bool) {
				fuel, timeout := uint64(policies.MaxFuel), policies.Duration(limit)
				r := free("f = open('f', 'w'); f.write('content'); f.flush()\n"+test.end, policies.Overrides{Fuel: &fuel, Timeout: &timeout})
				got := execute(t, shared(t), r)
				if got.Status != test.status {
					t.Errorf("status %s", got.Status)
				}
				t.Logf("within %v it created %v", limit, got.FilesCreated)
				return slices.Equal(got.FilesCreated, []host.File{hashed("/app/f", "content")})
			}
			if test.status == host.StatusTimeout {
				untilItComes(t, run)
			} else if !run(time.Minute) {
				t.Error("that is wrong")
			}
		})
	}
}

// TestFilesOfACanceledCallAreListed does not ask for hashes, which the caller does
// not wait for.
func TestFilesOfACanceledCallAreListed(t *testing.T) {
	var got *host.Result
	for range 5 { // a busy machine may keep a guest from noticing in time, but not always
		ctx, cancel := context.WithCancel(t.Context())
		r := python("open('f', 'w').write('content')\nprint('written', flush=True)\nwhile True: pass")
		r.Stdout = writerFunc(func(p []byte) (int, error) { cancel(); return len(p), nil })
		var err error
		if got, err = shared(t).Execute(ctx, r); err != nil {
			t.Fatal(err)
		}
		if !got.Abandoned {
			break
		}
	}
	if got.Status != host.StatusCanceled || !slices.Equal(got.FilesCreated, []host.File{{Path: "/app/f"}}) {
		t.Errorf("status %s, created %v", got.Status, got.FilesCreated)
	}
}

func TestResultsListABoundedNumberOfFiles(t *testing.T) {
	work := t.TempDir()
	if err := os.Mkdir(filepath.Join(work, "dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	names := []string{"\x1b[2J\xff"} // which no guest could make
	for i := range host.MaxFilesListed {
		names = append(names, fmt.Sprintf("%04d", i))
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(work, "dir", name), []byte("content"), 0o600); err != nil {
			t.Skipf("this file system refuses %q: %v", name, err)
		}
	}
	files := uint64(10_000)
	r := free("import os; os.rename('dir', 'new')", policies.Overrides{DiskFiles: &files})
	r.Workspace = work
	got := execute(t, shared(t), r)
	if got.Status != host.StatusOK || len(got.FilesCreated) != host.MaxFilesListed || len(got.FilesDeleted) != 0 ||
		got.FilesOmitted != host.MaxFilesListed+2 {
		t.Errorf("status %s: %d created, %d deleted, %d omitted", got.Status, len(got.FilesCreated), len(got.FilesDeleted), got.FilesOmitted)
	}
	if first := got.FilesCreated[0]; first != hashed("/app/new/\x1b[2J\uFFFD", "content") {
		t.Errorf("the first is %+v", first)
	}
	text, err := json.Marshal(got)
	if err != nil || len(text) > 2<<20 || !strings.Contains(string(text), `"files_deleted":[]`) {
		t.Errorf("%d bytes of JSON, %v", len(text), err)
	}
}

// TestFileLimitsReachTheProgram is the table of docs/files.md.
func TestFileLimitsReachTheProgram(t *testing.T) {
	count := func(n uint64) *uint64 { return &n }
	size := func(n policies.Bytes) *policies.Bytes { return &n }
	tests := []struct {
		limit     string
		overrides policies.Overrides
		code      string
		want      string
		key       string // of the limit that a program which does not cope ends with
	}{
		{"quota", policies.Overrides{DiskQuota: size(1000)}, "open('f', 'wb', 0).write(b'x' * 1001)", "EDQUOT", "disk.quota"},
		{"files", policies.Overrides{DiskFiles: count(3)}, "for n in range(4): open(str(n), 'w').close()", "EDQUOT", "disk.files"},
		{"file_size", policies.Overrides{DiskFileSize: size(1000)}, "open('f', 'wb', 0).write(b'x' * 1001)", "EFBIG", "disk.file_size"},
		{"depth", policies.Overrides{DiskDepth: count(2)}, "import os; os.makedirs('a/b/c')", "ENAMETOOLONG", ""},
		{"open_files", policies.Overrides{DiskOpenFiles: count(8)}, "files = [open(str(n), 'w') for n in range(8)]", "EMFILE", ""},
		{"name length", policies.Overrides{}, "open('x' * 256, 'w')", "ENAMETOOLONG", ""},
		{"path length", policies.Overrides{}, "open('x/' * 2048 + 'x', 'w')", "ENAMETOOLONG", ""},
	}
	for _, test := range tests {
		t.Run(test.limit, func(t *testing.T) {
			t.Parallel()
			coping := "import errno\ntry:\n    exec(" + fmt.Sprintf("%q", test.code) + ")\nexcept OSError as e:\n    print(errno.errorcode[e.errno])"
			if got := execute(t, shared(t), free(coping, test.overrides)); got.Stdout != test.want+"\n" || got.Status != host.StatusOK {
				t.Errorf("a program that copes: %s, %q, %q; want %s", got.Status, got.Stdout, got.Stderr, test.want)
			}
			status := host.StatusError
			if test.key != "" {
				status = host.StatusDiskQuota
			}
			got := execute(t, shared(t), free(test.code, test.overrides))
			if got.Status != status || got.Error == nil || !strings.Contains(got.Error.Message, test.key) {
				t.Errorf("a program that does not: %s, %+v; want %s for %q", got.Status, got.Error, status, test.key)
			}
		})
	}
}
