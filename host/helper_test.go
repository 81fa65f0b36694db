package host

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/sandboxd/sandboxd/policies"
)

func TestWhatAProgramMayComeToNeedIsGuessed(t *testing.T) {
	folder := func(names ...string) string {
		dir := t.TempDir()
		for _, name := range names {
			file := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	many := make([]string, maxForeseen)
	for i := range many {
		many[i] = fmt.Sprintf("%05d.txt", i)
	}
	tests := []struct {
		name, code, workspace, mount string
		want                         bool
	}{
		{name: "a program that imports nothing", code: `console.log("a.ts")`, workspace: folder("a.ts")},
		{name: "one that imports what it names", code: `import './a.ts'`, want: true},
		{name: "one that names a module of the other kinds", code: `require('./a.cts')`, want: true},
		{name: "a name that only begins so", code: `require('./a.tsv')`},
		{name: "one without a name, and a file", code: `require('./a')`, workspace: folder("lib/a.mts"), want: true},
		{name: "one that imports what is built in", code: `require('fs')`, workspace: folder("a.ts")},
		{name: "one that makes its paths", code: `require(__dirname + name)`, workspace: folder("a.ts"), want: true},
		{name: "a file in a mount", code: `require('/data/a')`, mount: folder("a.ts"), want: true},
		{name: "declarations only", code: `require('./a')`, workspace: folder("a.d.ts", "a.js")},
		{name: "what packages bring", code: `require('./a')`, workspace: folder("node_modules/x/a.ts", ".git/a.ts")},
		{name: "a folder with such a name", code: `require('./a')`, workspace: folder("a.ts/b.js")},
		{name: "a file behind many others", code: `require('./a')`, workspace: folder(append(many, "a.ts")...)},
		{name: "a workspace that is not there", code: `require('./a')`, workspace: filepath.Join(t.TempDir(), "none")},
	}
	policy, err := policies.Parse("test", []byte("[profiles.strict]\n"))
	if err != nil {
		t.Fatal(err)
	}
	h := &Host{}
	h.policy.Store(policy)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &Request{Code: []byte(tt.code), Workspace: tt.workspace, Profile: "strict"}
			if tt.mount != "" {
				r.Mounts = []policies.Mount{{Host: tt.mount, Guest: "/data"}}
			}
			got := (&quickjs{}).mayAsk(r, func(match func(string) bool) bool { return h.holds(r, match) })
			if (got != nil) != tt.want {
				t.Errorf("may need %v, want something: %t", got, tt.want)
			}
		})
	}
}

func TestASealedHostLoadsNothing(t *testing.T) {
	h := &Host{plugins: map[string]*preparation{}}
	h.sealed.Store(true)
	if p, err := h.demand(t.Context(), typescriptCompiler); p != nil || err == nil {
		t.Fatalf("demand gave %v, %v", p, err)
	}
	ready := &preparation{done: make(chan struct{}), plugin: &plugin{}}
	h.plugins[typescriptCompiler.Name] = ready
	if p, err := h.demand(t.Context(), typescriptCompiler); p != nil || err == nil {
		t.Fatalf("of what is not ready yet, demand gave %v, %v", p, err)
	}
	close(ready.done)
	if p, err := h.demand(t.Context(), typescriptCompiler); p != ready.plugin || err != nil {
		t.Errorf("of what is ready, demand gave %v, %v", p, err)
	}
}
