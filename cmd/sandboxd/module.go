package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sandboxd/sandboxd/host"
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
	May         []string `json:"may"`     // what its imports let it do
	Problem     string   `json:"problem"` // why it could not be used; empty if nothing speaks against it

	fits string // the driver for what it exports
}

// inspectModule reads def's module from the cache, checking its digest.
func inspectModule(ctx context.Context, store *runtimes.Store, def *runtimes.Definition) (*moduleJSON, error) {
	data, err := store.Load(ctx, def, nil)
	if err != nil {
		return nil, err
	}
	out, err := describeModule(data)
	if err != nil {
		return nil, fmt.Errorf("inspect %s: %w", def.Name, err)
	}
	if problem := host.CheckModule(data, def.Driver); problem != nil {
		out.Problem = problem.Error()
	}
	return out, nil
}

// describeModule says what a module is, of which nobody knows anything yet.
func describeModule(data []byte) (*moduleJSON, error) {
	m, err := wasm.Decode(data)
	if err != nil {
		return nil, host.ExplainModule(data, err)
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
	out.May, out.fits = may(out.Imports), driverOf(m)
	if out.fits != "" {
		if problem := host.CheckModule(data, out.fits); problem != nil {
			out.Problem = problem.Error()
		}
	}
	return out, nil
}

// abilities are what imports let a module do, by the beginnings of their names. What
// is not named here, a module can do nothing with.
var abilities = []struct{ function, may string }{
	{"fd_read", "read its input and its files"},
	{"fd_write", "write its output and its files"},
	{"path_open", "open the files it is given"},
	{"clock_time_get", "know the time"},
	{"poll_oneoff", "sleep"},
	{"random_get", "draw randomness"},
	{"proc_exit", "end itself"},
	{"sock_", "ask for sockets, of which there are none"},
	{"http_request", "ask for the network, which is refused"},
	{"config_get", "ask for configuration, which is empty"},
	{"var_", "keep variables, for one call"},
	{"log_", "write a log, which is thrown away"},
}

func may(imports []string) []string {
	found := []string{}
	for _, ability := range abilities {
		for _, i := range imports {
			if _, name, _ := strings.Cut(i, "."); strings.HasPrefix(name, ability.function) {
				found = append(found, ability.may)
				break
			}
		}
	}
	return found
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
		{"may", strings.Join(m.May, "; ")},
	}
	if m.Problem != "" {
		rows = append(rows, []string{"problem", m.Problem})
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
