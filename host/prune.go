package host

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/sandboxd/sandboxd/runtimes"
)

// Prune removes what a cache directory holds and nothing uses any more; see
// [runtimes.Store.Prune]. What any Host has loaded or reserved stays, in whatever process
// it is. The module that hosts themselves work with is known beside those of o, and so are
// the helpers of those.
func Prune(ctx context.Context, cacheDir string, o runtimes.PruneOptions) (*runtimes.Pruned, error) {
	store, err := runtimes.OpenStore(cacheDir)
	if err != nil {
		return nil, err
	}
	o.Known = append(withHelpers(o.Known), &optimizer)
	return store.Prune(ctx, o)
}

// Reserve keeps what is prepared of the host's runtimes from being pruned until Close,
// and counts as a use of it. It is for a process that gives up the right to prepare
// anything before it knows which runtimes it is asked for, and loads nothing. What is not
// prepared is not missed.
func (h *Host) Reserve() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	entries := artefacts{filepath.Join(h.store.Dir, runtimes.PreparedDir)}
	for _, d := range withHelpers(h.registry.All()) {
		d = h.store.Prefer(d)
		drv, err := newDriver(d)
		if err != nil {
			continue // nor can it be loaded
		}
		b := &builder{host: h, entries: entries, definition: d, driver: drv, optimized: true}
		held := entries.hold(b.key())
		if held == nil {
			b.optimized = false
			held = entries.hold(b.key())
		}
		if held != nil {
			h.reserved = append(h.reserved, held)
		}
	}
}

// withHelpers adds to definitions what their drivers have for helpers. One that has no
// driver stays, alone.
func withHelpers(definitions []*runtimes.Definition) []*runtimes.Definition {
	all := slices.Clone(definitions)
	for _, d := range definitions {
		drv, err := newDriver(d)
		if helped, ok := drv.(helped); err == nil && ok {
			for _, helper := range helped.helpers() {
				if !slices.Contains(all, helper) {
					all = append(all, helper)
				}
			}
		}
	}
	return all
}
