package host

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/sandboxd/sandboxd/runtimes"
)

// helped is a driver that has another plugin do a part of some requests' work: run
// like a call of its own, with none of what the request may see.
type helped interface {
	// helpers are all that the driver may name below.
	helpers() []*runtimes.Definition
	// helper is what a request needs from its beginning on, or nil.
	helper(r *Request) *runtimes.Definition
	// mayAsk is what a request may turn out to need, a guess, or nil; holds says
	// whether the files that it is granted have one with such a name.
	mayAsk(r *Request, holds func(match func(name string) bool) bool) *runtimes.Definition
}

// helper loads the plugin that a driver needs for a request beside its own, before any
// time of the call's runs; nil if it needs none.
func (h *Host) helper(ctx context.Context, d driver, r *Request) (*plugin, error) {
	helped, ok := d.(helped)
	if !ok {
		return nil, nil
	}
	definition := helped.helper(r)
	if definition == nil {
		return nil, nil
	}
	return h.plugin(ctx, definition)
}

// foresee loads what a request may come to need. That it cannot be had is no reason not
// to run a program that may not need it.
func (h *Host) foresee(ctx context.Context, d driver, r *Request) error {
	helped, ok := d.(helped)
	if !ok {
		return nil
	}
	definition := helped.mayAsk(r, func(match func(string) bool) bool { return h.holds(r, match) })
	if definition == nil {
		return nil
	}
	if _, err := h.plugin(ctx, definition); ctx.Err() != nil {
		return err
	}
	return nil
}

// demand loads a plugin in the middle of a call. The time is the call's, but the work is
// not lost when the call's time is up: the next one finds it done.
func (h *Host) demand(ctx context.Context, d *runtimes.Definition) (*plugin, error) {
	if h.sealed.Load() {
		return h.loaded(d)
	}
	lasting, done, err := h.enter(context.WithoutCancel(ctx))
	if err != nil {
		return nil, err
	}
	type loaded struct {
		plugin *plugin
		err    error
	}
	ready := make(chan loaded, 1)
	go func() {
		defer done()
		p, err := h.plugin(lasting, d)
		ready <- loaded{p, err}
	}()
	select {
	case l := <-ready:
		return l.plugin, l.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// loaded is a plugin that is there already.
func (h *Host) loaded(d *runtimes.Definition) (*plugin, error) {
	h.mu.Lock()
	p := h.plugins[d.Name]
	h.mu.Unlock()
	if p != nil {
		select {
		case <-p.done:
			return p.plugin, p.err
		default:
		}
	}
	return nil, fmt.Errorf("load %s: this process has given up its rights", d.Name)
}

// maxForeseen is how many names a guess looks at: whoever filled the directories may
// have made them large.
const maxForeseen = 5000

// holds says whether the workspace or a mount of a request has a file with such a name,
// as far as the first names tell. It leaves out hidden directories and node_modules, and
// follows no symbolic links.
func (h *Host) holds(r *Request, match func(name string) bool) bool {
	var directories []string
	if r.Workspace != "" {
		directories = append(directories, r.Workspace)
	}
	if p, err := h.policy.Load().Profile(r.Profile); err == nil {
		if p, err = p.WithMounts(r.Mounts...); err == nil {
			for _, m := range p.Mounts {
				directories = append(directories, m.Host)
			}
		}
	}
	seen, found := 0, false
	for _, directory := range directories {
		_ = fs.WalkDir(os.DirFS(directory), ".", func(name string, e fs.DirEntry, err error) error {
			base := path.Base(name)
			seen++
			switch {
			case seen > maxForeseen:
				return fs.SkipAll
			case err != nil:
				return nil //nolint:nilerr // what cannot be read is not there
			case e.IsDir():
				if name != "." && (strings.HasPrefix(base, ".") || base == "node_modules") {
					return fs.SkipDir
				}
			case match(base):
				found = true
				return fs.SkipAll
			}
			return nil
		})
	}
	return found
}
