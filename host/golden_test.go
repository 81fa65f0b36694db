package host

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/sandboxd/sandboxd/runtimes"
)

// goldenModules is what preparing made of goldenModule in each artefactVersion.
var goldenModules = map[string]string{
	"8": "d651a1c56a21ddcb060f8000e9a557c832561db70b5f238591e0fd69c34dab55", // what images hold besides memory, which is not in this module
}

// TestPreparedBytesBelongToTheirVersion fails when metering, rewriting or the costs
// of host calls change while prepared runtimes keep their keys: an old one from the
// cache would then run in place of what this version makes.
func TestPreparedBytesBelongToTheirVersion(t *testing.T) {
	b := &builder{definition: &runtimes.Definition{Name: "golden"}, driver: &cpython{}}
	r, err := b.rewrite(goldenModule())
	if err != nil {
		t.Fatal(err)
	}
	if r.minMemory != 2*65536 {
		t.Errorf("it starts with %d bytes of memory", r.minMemory)
	}
	sum := sha256.Sum256(r.module)
	got := hex.EncodeToString(sum[:])
	if want, ok := goldenModules[artefactVersion]; !ok || got != want {
		t.Errorf("preparing makes %s now, and made %q in version %s: raise artefactVersion and add it here", got, want, artefactVersion)
	}
	again, err := b.rewrite(goldenModule())
	if err != nil || !slices.Equal(again.module, r.module) {
		t.Errorf("preparing again makes something else (%v)", err)
	}
}

// goldenModule is a module with some of everything that preparing changes.
func goldenModule() []byte {
	const i32, i64 = 0x7F, 0x7E
	signatures := [][2][]byte{
		{{}, {}},
		{{i32, i32}, {i32}},
		{{i32, i32, i32, i32}, {i32}},
		{{i32}, {}},
		{{i32, i32, i32, i32, i32, i64, i64, i32, i32}, {i32}},
		{{i32, i32, i32, i64, i32}, {i32}},
		{{i32, i32, i32}, {i32}},
	}
	imports := []struct {
		name      string
		signature byte
	}{
		{"random_get", 1},
		{"fd_write", 2},
		{"poll_oneoff", 2},
		{"proc_exit", 3},
		{"fd_renumber", 1},
		{"path_open", 4},
		{"fd_readdir", 5},
		{"args_get", 1},
	}
	var types, imported [][]byte
	for _, s := range signatures {
		types = append(types, slices.Concat([]byte{0x60}, sized(s[0]), sized(s[1])))
	}
	for _, i := range imports {
		imported = append(imported, slices.Concat(named("wasi_snapshot_preview1"), named(i.name), []byte{0, i.signature}))
	}
	start := []byte{
		1, 1, i32, // one local
		0x03, 0x40, // loop
		0x20, 0, 0x41, 1, 0x6A, 0x22, 0, // local 0 += 1
		0x41, 10, 0x48, 0x0D, 0, // again if it is less than 10
		0x0B,
		0x20, 0, 0x04, i32, 0x41, 1, 0x40, 0, 0x05, 0x41, 0, 0x0B, 0x1A, // if it is not 0, grow the memory
		0x41, 0, 0x41, 8, 0x20, 0, 0xFC, 10, 0, 0, // copy memory
		0x41, 0, 0x41, 16, 0x10, 0, 0x1A, // random_get(0, 16)
		0x23, 0, 0x41, 1, 0x6A, 0x24, 0, // global 0 += 1
		0x41, 0, 0x11, 0, 0, // call through the table
		0x0B,
	}
	return slices.Concat(
		[]byte("\x00asm\x01\x00\x00\x00"),
		section(1, listed(types...)),
		section(2, listed(imported...)),
		section(3, listed([]byte{0}, []byte{6}, []byte{0})),
		section(4, listed([]byte{0x70, 0, 2})),
		section(5, listed([]byte{0, 2})),
		section(6, listed([]byte{i32, 1, 0x41, 7, 0x0B})),
		section(7, listed(slices.Concat(named("_start"), []byte{0, 8}), slices.Concat(named("memory"), []byte{2, 0}))),
		section(9, listed([]byte{0, 0x41, 0, 0x0B, 2, 10, 9})),
		section(10, listed(
			sized(start),
			sized([]byte{0, 0x20, 0, 0x20, 1, 0x6A, 0x20, 2, 0x6A, 0x0B}),
			sized([]byte{0, 0x0B}),
		)),
		section(11, listed(slices.Concat([]byte{0, 0x41, 8, 0x0B}, named("golden")))),
		section(0, slices.Concat(named("notes"), []byte("dropped"))),
	)
}

// Everything here is shorter than 128 bytes or spelled with two bytes of LEB128.
func sized(b []byte) []byte {
	n := len(b)
	return append([]byte{byte(n&0x7F | 0x80), byte(n >> 7)}, b...)
}

func named(s string) []byte { return sized([]byte(s)) }

func section(id byte, content []byte) []byte { return append([]byte{id}, sized(content)...) }

func listed(items ...[]byte) []byte {
	return append([]byte{byte(len(items))}, slices.Concat(items...)...)
}

func TestTheGoldenModuleIsOne(t *testing.T) {
	r := wazero.NewRuntime(t.Context())
	defer func() { _ = r.Close(t.Context()) }()
	if _, err := r.CompileModule(t.Context(), goldenModule()); err != nil {
		t.Error(err)
	}
}
