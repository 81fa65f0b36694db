package host

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sandboxd/sandboxd/host/wasm"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// handmade is an Extism plugin built by hand: a module that answers with fixed bytes.
type handmade struct {
	m       *wasm.Module
	imports map[string]uint32
}

var extismTypes = map[string][2][]wasm.ValType{
	"alloc":       {{wasm.I64}, {wasm.I64}},
	"store_u8":    {{wasm.I64, wasm.I32}, {}},
	"output_set":  {{wasm.I64, wasm.I64}, {}},
	"error_set":   {{wasm.I64}, {}},
	"proc_exit":   {{wasm.I32}, {}},
	"fd_renumber": {{wasm.I32, wasm.I32}, {wasm.I32}},
	"var_get":     {{wasm.I64}, {wasm.I64}},
	"log_error":   {{wasm.I64}, {}},
}

func newHandmade(imports ...string) *handmade {
	h := &handmade{m: &wasm.Module{}, imports: map[string]uint32{}}
	h.m.Memories = []wasm.Limits{{Min: 1}}
	for i, name := range imports {
		module := "extism:host/env"
		if name == "proc_exit" || name == "fd_renumber" {
			module = wasiNamespace
		}
		t := extismTypes[name]
		h.m.Imports = append(h.m.Imports, wasm.Import{Module: module, Name: name, Kind: wasm.KindFunc, Type: h.m.AddType(t[0], t[1])})
		h.imports[name] = uint32(i)
	}
	return h
}

// say adds code that puts text into the kernel's memory, leaving where in a local of
// type i64.
func (h *handmade) say(a *wasm.Asm, text string) {
	a.I64Const(int64(len(text))).U32(wasm.OpCall, h.imports["alloc"]).U32(wasm.OpLocalSet, 0)
	for i := range len(text) {
		a.U32(wasm.OpLocalGet, 0).I64Const(int64(i)).Op(wasm.OpI64Add).I32Const(int32(text[i])).U32(wasm.OpCall, h.imports["store_u8"])
	}
}

// export adds a function that has a local of type i64 and returns an i32.
func (h *handmade) export(name string, a *wasm.Asm) *handmade {
	f := h.m.AddFunc(h.m.AddType(nil, []wasm.ValType{wasm.I32}), []wasm.ValType{wasm.I64}, a.Op(wasm.OpEnd).Bytes())
	h.m.AddExport(name, wasm.KindFunc, f)
	return h
}

func (h *handmade) module() []byte { return h.m.Encode() }

// definition makes a runtime of a module.
func definition(t *testing.T, driver string, module []byte) *runtimes.Definition {
	t.Helper()
	sum := sha256.Sum256(module)
	text := "name = \"made\"\nversion = \"1\"\ndriver = \"" + driver + "\"\n[source]\nfile = \"made.wasm\"\nsha256 = \"" + hex.EncodeToString(sum[:]) + "\"\n"
	d, err := runtimes.Parse("runtime.toml", []byte(text), fstest.MapFS{"made.wasm": {Data: module}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// only opens a host that has one runtime and a cache of its own.
func only(t *testing.T, d *runtimes.Definition) *Host {
	t.Helper()
	registry, err := runtimes.NewRegistry(d)
	if err != nil {
		t.Fatal(err)
	}
	h, err := Open(t.Context(), Options{CacheDir: t.TempDir(), Registry: registry})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// answering is a plugin that answers with an output and a result.
func answering(output string, rc int32) []byte {
	h := newHandmade("alloc", "store_u8", "output_set")
	a := new(wasm.Asm)
	h.say(a, output)
	a.U32(wasm.OpLocalGet, 0).I64Const(int64(len(output))).U32(wasm.OpCall, h.imports["output_set"]).I32Const(rc)
	return h.export("execute", a).module()
}

func TestWhatAnExtismPluginAnswersIsTheResult(t *testing.T) {
	failing := func(text string) []byte {
		h := newHandmade("alloc", "store_u8", "error_set")
		a := new(wasm.Asm)
		h.say(a, text)
		return h.export("execute", a.U32(wasm.OpLocalGet, 0).U32(wasm.OpCall, h.imports["error_set"]).I32Const(0)).module()
	}
	calling := func(function string, arg int32) []byte {
		h := newHandmade(function)
		return h.export("execute", new(wasm.Asm).I32Const(arg).U32(wasm.OpCall, h.imports[function]).I32Const(0)).module()
	}
	trapping := newHandmade().export("execute", new(wasm.Asm).Op(wasm.OpUnreachable)).module()
	recursing := newHandmade()
	recursing.export("execute", new(wasm.Asm).U32(wasm.OpCall, 0))
	twice := newHandmade()
	twice.m.AddGlobal(wasm.I32, true, wasm.ConstI32(0))
	// Calls itself once, and traps when that call has returned.
	twice.export("execute", new(wasm.Asm).U32(wasm.OpGlobalGet, 0).Block(wasm.OpIf, wasm.NoResult).I32Const(5).Op(wasm.OpReturn, wasm.OpEnd).
		I32Const(1).U32(wasm.OpGlobalSet, 0).U32(wasm.OpCall, 0).Op(wasm.OpDrop, wasm.OpUnreachable))
	tests := []struct {
		name   string
		module []byte
		status Status
		exit   int
		kind   string // of the error
		says   string
		line   int
	}{
		{"nothing", answering("", 0), StatusOK, 0, "", "", 0},
		{"a result", answering("", 3), StatusError, 3, "exit", "exit code 3", 0},
		{"a result of more than 8 bits", answering("", 256+4), StatusError, 4, "exit", "exit code 4", 0},
		{"an exit code", answering(`{"exit_code": 9}`, 0), StatusError, 9, "exit", "exit code 9", 0},
		{"an exit code that is a success", answering(`{"exit_code": 0}`, 5), StatusOK, 0, "", "", 0},
		{"an error", answering(`{"exit_code": 2, "error": {"type": "TypeError", "message": "no", "line": 7}}`, 1), StatusError, 2, "TypeError", "no", 7},
		{"an error without a code", answering(`{"error": {"type": "E", "message": "m"}}`, 0), StatusError, 1, "E", "m", 0},
		{"an error that is null", answering(`{"error": null}`, 0), StatusOK, 0, "", "", 0},
		{"an error that is a number", answering(`{"error": 7}`, 0), StatusError, 1, "exit", "exit code 1", 0},
		{"an output that is no answer", answering(`hello`, 0), StatusOK, 0, "", "", 0},
		{"a message set as Extism's error", failing("it broke"), StatusError, 1, "Error", "it broke", 0},
		{"a message that looks like a trap's", failing("wasm error: unreachable"), StatusError, 1, "Error", "wasm error: unreachable", 0},
		{"an exit", calling("proc_exit", 6), StatusError, 6, "exit", "exit code 6", 0},
		{"a trap", trapping, StatusError, exitTrap, "trap", "unreachable", 0},
		{"recursion without end", recursing.module(), StatusError, exitTrap, "trap", "stack overflow", 0},
		{"a trap after an entry that returned", twice.module(), StatusError, exitTrap, "trap", "unreachable", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := only(t, definition(t, "extism", tt.module))
			r, err := h.Execute(t.Context(), Request{Language: "made"})
			if err != nil {
				t.Fatal(err)
			}
			if r.Status != tt.status || r.ExitCode != tt.exit || (r.Error == nil) != (tt.kind == "") {
				t.Fatalf("got %+v, error %+v", r, r.Error)
			}
			if e := r.Error; e != nil && (e.Type != tt.kind || !strings.Contains(e.Message, tt.says) || e.Line != tt.line) {
				t.Errorf("error %+v", e)
			}
		})
	}
}

func TestAModuleThatIsNoPluginIsRefused(t *testing.T) {
	other := newHandmade()
	other.export("run", new(wasm.Asm).I32Const(0))
	typed := newHandmade()
	typed.m.AddExport("execute", wasm.KindFunc, typed.m.AddFunc(typed.m.AddType([]wasm.ValType{wasm.I32}, nil), nil, new(wasm.Asm).Op(wasm.OpEnd).Bytes()))
	for name, tt := range map[string]struct {
		driver string
		module []byte
		says   string
	}{
		"no execute":                   {"extism", other.module(), `exports no function "execute"`},
		"an execute of another type":   {"extism", typed.module(), `must take nothing and return an i32`},
		"no start":                     {"command", other.module(), `no exported function "_start"`},
		"the host's own functions":     {"extism", importing("sandboxd", "refuel"), `that nobody offers here: "sandboxd"."refuel"`},
		"functions that nobody offers": {"extism", importing("env", "secret"), `"env"."secret"; it was built for another host`},
	} {
		t.Run(name, func(t *testing.T) {
			h := only(t, definition(t, tt.driver, tt.module))
			if err := h.Prepare(t.Context(), "made"); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func importing(module, name string) []byte {
	h := newHandmade()
	h.m.Imports = []wasm.Import{{Module: module, Name: name, Kind: wasm.KindFunc, Type: h.m.AddType(nil, nil)}}
	return h.export("execute", new(wasm.Asm).I32Const(0)).module()
}

// TestAModuleWithAStartFunctionAndNoMemoryRuns takes the way of modules that cannot
// be snapshotted.
func TestAModuleWithAStartFunctionAndNoMemoryRuns(t *testing.T) {
	for _, driver := range []string{"command", "extism"} {
		h := newHandmade("proc_exit")
		h.m.Memories = nil
		h.m.AddGlobal(wasm.I32, true, wasm.ConstI32(0))
		start := h.m.AddFunc(h.m.AddType(nil, nil), nil, new(wasm.Asm).I32Const(11).U32(wasm.OpGlobalSet, 0).Op(wasm.OpEnd).Bytes())
		h.m.Start = &start
		name := map[string]string{"command": "_start", "extism": "execute"}[driver]
		body := new(wasm.Asm).U32(wasm.OpGlobalGet, 0).U32(wasm.OpCall, h.imports["proc_exit"])
		h.m.AddExport(name, wasm.KindFunc, h.m.AddFunc(h.m.AddType(nil, nil), nil, body.Op(wasm.OpEnd).Bytes()))
		r, err := only(t, definition(t, driver, h.module())).Execute(t.Context(), Request{Language: "made"})
		if err != nil || r.ExitCode != 11 {
			t.Errorf("%s: got %+v, %v", driver, r, err)
		}
	}
}

func TestAPluginIsInitializedOnceBeforeItsFirstCall(t *testing.T) {
	for _, name := range []string{"_initialize", "__wasm_call_ctors"} {
		h := newHandmade()
		h.m.Tables = []wasm.Table{{Type: wasm.FuncRef, Limits: wasm.Limits{Min: 1}}}
		h.m.AddGlobal(wasm.I32, true, wasm.ConstI32(0))
		add := new(wasm.Asm).U32(wasm.OpGlobalGet, 0).I32Const(5).Op(wasm.OpI32Add).U32(wasm.OpGlobalSet, 0).Op(wasm.OpEnd).Bytes()
		h.m.AddExport(name, wasm.KindFunc, h.m.AddFunc(h.m.AddType(nil, nil), nil, add))
		h.export("execute", new(wasm.Asm).U32(wasm.OpGlobalGet, 0))
		r, err := only(t, definition(t, "extism", h.module())).Execute(t.Context(), Request{Language: "made"})
		if err != nil || r.ExitCode != 5 {
			t.Errorf("%s: got %+v, %v", name, r, err)
		}
	}
}

func TestAProgramTooLongForAPluginIsRefused(t *testing.T) {
	h := only(t, definition(t, "extism", answering("", 0)))
	_, err := h.Execute(t.Context(), Request{Language: "made", Code: make([]byte, MaxCode)})
	if !errors.Is(err, ErrInvalid) {
		t.Errorf("got %v", err)
	}
}

func TestARuntimesOwnLimitsOnlyTighten(t *testing.T) {
	profile := policies.Builtin()
	strict, err := profile.Profile("strict")
	if err != nil {
		t.Fatal(err)
	}
	own := runtimes.Limits{Fuel: 1000, Memory: 1 << 40, Stdout: 10, Timeout: 1}
	own.Timeout = 2_000_000_000
	got, err := tighten(strict, own)
	if err != nil {
		t.Fatal(err)
	}
	if got.Fuel != 1000 || got.Memory != strict.Memory || got.Stdout != 10 || got.Stderr != strict.Stderr || got.Timeout != policies.Duration(own.Timeout) {
		t.Errorf("got %+v", got)
	}
	if strict.Fuel == 1000 {
		t.Error("the profile itself was changed")
	}
}
