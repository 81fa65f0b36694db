package external

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/policies"
)

func TestWhatIsShown(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	for name, size := range map[string]int{"a.csv": 10, "other/a.csv": 1, "small/f": 10, "big/deep/f": 11, "huge": 11} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(at(name)), 0o700), os.WriteFile(at(name), make([]byte, size), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name  string
		paths []string
		want  []policies.Mount
		err   string
	}{
		{"a file", []string{at("a.csv")}, []policies.Mount{{Host: dir, Guest: "/external/a.csv", File: "a.csv"}}, ""},
		{"a folder", []string{at("small/")}, []policies.Mount{{Host: at("small"), Guest: "/external/small"}}, ""},
		{"both", []string{at("small"), at("a.csv")}, []policies.Mount{{Host: at("small"), Guest: "/external/small"}, {Host: dir, Guest: "/external/a.csv", File: "a.csv"}}, ""},
		{"two of one name", []string{at("a.csv"), at("other/a.csv")}, nil, "would both be /external/a.csv"},
		{"the same twice", []string{at("small"), at("small")}, nil, "would both be"},
		{"a large file", []string{at("huge")}, nil, "at most"},
		{"a large file in a folder", []string{at("big")}, nil, "at most"},
		{"nothing", []string{at("missing")}, nil, "no such file"},
		{"a device", []string{os.DevNull}, nil, "neither a file nor a folder"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && tt.err != "" && !strings.Contains(tt.err, "both") && !strings.Contains(tt.err, "most") {
				t.Skip("the words are the system's")
			}
			got, err := Mounts(tt.paths, 10)
			if tt.err != "" {
				if !errors.Is(err, policies.ErrInvalid) || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || len(got) != len(tt.want) {
				t.Fatalf("%+v, %v", got, err)
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("got %+v, want %+v", got[i], tt.want[i])
				}
			}
		})
	}
}
