package host

import (
	"fmt"
	"strings"

	"github.com/sandboxd/sandboxd/host/meter"
	"github.com/sandboxd/sandboxd/host/wasm"
	"github.com/sandboxd/sandboxd/runtimes"
)

// extismNamespace is the module name of Extism's kernel and host functions.
const extismNamespace = "extism:host/env"

// refuseImports refuses a module that needs what nobody offers. Without it such a
// module would fail in every call, and the engine's message names one function.
func refuseImports(m *wasm.Module, d driver) error {
	own := map[meter.Import]bool{}
	for _, f := range d.functions() {
		own[meter.Import{Module: f.module, Name: f.name}] = true
	}
	_, plugin := d.(exchanger)
	var unknown []string
	for i := range m.Imports {
		imp := &m.Imports[i]
		switch {
		case imp.Kind != wasm.KindFunc:
			return fmt.Errorf("%w: the module imports %q of %q, which is not a function: a module must have a memory of its own, and tables and globals too",
				runtimes.ErrInvalid, imp.Name, imp.Module)
		case own[meter.Import{Module: imp.Module, Name: imp.Name}],
			(imp.Module == wasiNamespace || plugin && imp.Module == extismNamespace) && offered(imp):
		default:
			unknown = append(unknown, fmt.Sprintf("%.100q.%.100q", imp.Module, imp.Name))
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return fmt.Errorf("%w: the module imports functions that nobody offers here: %s%s",
		runtimes.ErrInvalid, strings.Join(unknown[:min(len(unknown), 5)], ", "), hintOf(m, len(unknown)))
}

// hintOf says more of what a module with unknown imports may be.
func hintOf(m *wasm.Module, unknown int) string {
	more := ""
	if unknown > 5 {
		more = fmt.Sprintf(" and %d more", unknown-5)
	}
	for i := range m.Imports {
		switch name := m.Imports[i].Module; {
		case name == "env" || name == "wasi":
			return more + "; it was built for another host, such as Emscripten in a browser: build it for wasm32-wasip1"
		case name == extismNamespace:
			return more + `; it is an Extism plugin: use driver = "extism"`
		case strings.HasPrefix(name, "__wbindgen"):
			return more + "; it was built for browsers (wasm-bindgen): build it for wasm32-wasip1"
		}
	}
	return more + "; offered are those of WASI preview 1"
}
