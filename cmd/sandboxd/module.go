package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sandboxd/sandboxd/host/wasm"
	"github.com/sandboxd/sandboxd/runtimes"
)

// moduleJSON says what a module, as it was fetched, asks for and offers.
type moduleJSON struct {
	Bytes       uint64   `json:"bytes"`
	CustomBytes uint64   `json:"custom_bytes"` // debug information and names, dropped before compiling
	Functions   uint64   `json:"functions"`
	MemoryPages uint32   `json:"memory_pages"` // at the start, of 64 KiB each
	Imports     []string `json:"imports"`      // "module.name"
	Exports     []string `json:"exports"`
}

// inspectModule reads def's module from the cache, checking its digest.
func inspectModule(ctx context.Context, store *runtimes.Store, def *runtimes.Definition) (*moduleJSON, error) {
	data, err := store.Load(ctx, def, nil)
	if err != nil {
		return nil, err
	}
	m, err := wasm.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("inspect %s: %w", def.Name, err)
	}
	out := &moduleJSON{Bytes: uint64(len(data)), Functions: uint64(len(m.Code)), Imports: []string{}, Exports: []string{}}
	for _, c := range m.Customs {
		out.CustomBytes += uint64(len(c.Data))
	}
	for _, mem := range m.Memories {
		out.MemoryPages = mem.Min
	}
	for _, i := range m.Imports {
		out.Imports = append(out.Imports, i.Module+"."+i.Name)
	}
	for _, e := range m.Exports {
		out.Exports = append(out.Exports, e.Name)
	}
	return out, nil
}

// rows is the module as "runtimes inspect" prints it; none when it is nil.
func (m *moduleJSON) rows() [][]string {
	if m == nil {
		return nil
	}
	rows := [][]string{
		{"size", fmt.Sprintf("%s, of which %s are debug information", roughBytes(m.Bytes), roughBytes(m.CustomBytes))},
		{"functions", grouped(m.Functions)},
		{"memory", fmt.Sprintf("%s at the start", roughBytes(uint64(m.MemoryPages)<<16))},
		{"exports", strings.Join(m.Exports, " ")},
	}
	byModule := map[string][]string{}
	for _, i := range m.Imports {
		module, name, _ := strings.Cut(i, ".")
		byModule[module] = append(byModule[module], name)
	}
	for _, module := range slices.Sorted(maps.Keys(byModule)) {
		rows = append(rows, []string{"imports of " + module, strings.Join(byModule[module], " ")})
	}
	return rows
}
