package policies

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// PageSize is the size of a WebAssembly page of linear memory, in bytes.
//
// See https://www.w3.org/TR/wasm-core-1/#page-size
const PageSize = 64 << 10

// What happens to output beyond the profile's caps: the values of
// [Profile.OutputLimit].
const (
	OutputTruncate = "truncate" // discarded, and the program goes on
	OutputStop     = "stop"     // the program is stopped with status output_limit
)

// Profile is what one program may use: complete, checked, and with everything
// it inherits filled in. Treat a Profile as immutable; With, WithEnv and
// WithMounts return changed copies. A Profile nobody changes is safe for
// concurrent use.
type Profile struct {
	// Name is the profile's name in the policy.
	Name string
	// Fuel is how many instructions the program may execute, from 1 to
	// [MaxFuel].
	Fuel uint64
	// Memory is the most linear memory an instance may hold, in bytes, from
	// [MinMemory] to [MaxMemory]. Only whole pages count: see MemoryPages.
	Memory Bytes
	// Stdout and Stderr are how many bytes of each stream are kept, from 1 to
	// [MaxOutput].
	Stdout, Stderr Bytes
	// Timeout is the wall-clock time of one call, from [MinTimeout] to
	// [MaxTimeout].
	Timeout Duration
	// Disk bounds what the program writes.
	Disk Disk
	// Env is the program's whole environment.
	Env map[string]string
	// Mounts are the host directories the program sees, ordered by guest path.
	// Neither their guest paths nor their host directories overlap.
	Mounts []Mount
	// OutputLimit is OutputTruncate or OutputStop.
	OutputLimit string
	// Overridable lists, in alphabetical order, the limit keys a request may
	// raise, such as "fuel" or "disk.quota". Every other limit can only be
	// tightened.
	Overridable []string
	// Network is what the program may ask of the network; by default nothing.
	Network Network
	// Tools bounds what the program may ask of the tools that a request brings.
	Tools Tools
	// Sessions is how sessions are kept.
	Sessions Sessions
	// Packages are the names of the packages that the program may import of those that
	// are installed, in alphabetical order; nil means all of them.
	Packages []string
}

// Tools bounds the calls of functions that the embedding program offers with a
// request. A profile grants no tools; it only limits them.
type Tools struct {
	// Calls is how many calls one execution may make, from 1 to [MaxToolCalls].
	Calls uint64
	// MaxRequest and MaxResponse are the most bytes of the arguments of one call, and
	// of its answer, from 1 to [MaxToolBody].
	MaxRequest, MaxResponse Bytes
	// Total is how many bytes all calls may send and receive together, from 1 to
	// [MaxToolTotal].
	Total Bytes
	// Timeout is the most time of one call, from [MinTimeout] to [MaxTimeout]. The
	// execution's own timeout ends it too.
	Timeout Duration
}

// Sessions holds the sessions table of a profile.
type Sessions struct {
	// History is how many earlier turns of a session are kept, at most
	// [MaxHistory]. 0 keeps none, and programs then change the session's files in
	// place.
	History int
}

// Disk bounds the files of a program in the places it can write to.
type Disk struct {
	// Quota is the total apparent size of its files, in bytes, from 1 to
	// [MaxDiskQuota].
	Quota Bytes
	// Files is how many files and directories there may be, from 1 to
	// [MaxDiskFiles].
	Files uint64
	// FileSize is the size past which no file may grow, in bytes, up to
	// [MaxDiskQuota]. Zero means Quota, also after an override lowered that.
	FileSize Bytes
	// Depth is how many directories below /app or a mount point a file or
	// directory may be made, from 1 to [MaxDiskDepth].
	Depth uint64
	// OpenFiles is how many files and directories may be open at once, from
	// [MinOpenFiles] to [MaxOpenFiles].
	OpenFiles uint64
}

// Largest is the size past which no file may grow: FileSize, or Quota where that is
// not set.
func (d Disk) Largest() Bytes {
	if d.FileSize == 0 {
		return d.Quota
	}
	return d.FileSize
}

// Overrides is what one request asks to change; nil means not asked.
type Overrides struct {
	Fuel           *uint64
	Memory         *Bytes
	Stdout, Stderr *Bytes
	Timeout        *Duration
	DiskQuota      *Bytes
	DiskFiles      *uint64
	DiskFileSize   *Bytes
	DiskDepth      *uint64
	DiskOpenFiles  *uint64

	ToolCalls                 *uint64
	ToolRequest, ToolResponse *Bytes // of one call
	ToolTotal                 *Bytes
	ToolTimeout               *Duration
}

// MemoryPages is Memory in whole pages of 64 KiB, rounded down.
func (p *Profile) MemoryPages() uint32 {
	return uint32(min(p.Memory, MaxMemory) / PageSize)
}

// With returns a copy of p with what o asks for. Every limit may be lowered;
// raising one that p does not list as overridable is [ErrDenied], with the key,
// the value asked for, the ceiling and the remedy. A value outside the bounds
// of its key, zero among them, is [ErrInvalid] whether overridable or not. All
// problems are reported, joined. p itself does not change.
func (p *Profile) With(o Overrides) (*Profile, error) {
	out := p.clone()
	var errs []error
	for _, l := range limits {
		asked, ok := l.asked(&o)
		if !ok {
			continue
		}
		if err := p.allows(l, asked); err != nil {
			errs = append(errs, fmt.Errorf("profile %q: %s: %w", p.Name, l.key, err))
			continue
		}
		l.set(out, asked.value)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return out, nil
}

func (p *Profile) allows(l limit, asked amount) error {
	if err := l.check(asked); err != nil {
		return err
	}
	ceiling := l.get(p)
	if asked.value <= ceiling || slices.Contains(p.Overridable, l.key) {
		return nil
	}
	return deniedf("%s is above the ceiling of %s; ask for no more than that, use another profile, or let the operator add %q to profiles.%s.overridable",
		asked.text, l.format(ceiling), l.key, p.Name)
}

// WithEnv returns a copy of p whose environment also holds vars, which win over
// what p has. A name or a value that cannot be in an environment is
// [ErrInvalid].
func (p *Profile) WithEnv(vars map[string]string) (*Profile, error) {
	out := p.clone()
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if err := checkEnv(name, vars[name]); err != nil {
			errs = append(errs, fmt.Errorf("env: %w", err))
		}
		out.Env[name] = vars[name]
	}
	if len(out.Env) > MaxEnv {
		errs = append(errs, invalidf("env: %d variables are above the maximum of %d", len(out.Env), MaxEnv))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return out, nil
}

// WithMounts returns a copy of p that also has the given mounts, as
// [ParseMount] returns them; one at a guest path that p already has replaces
// it. A mount is a grant, so never pass one that a remote caller asked for.
// Mounts that overlap are [ErrInvalid].
func (p *Profile) WithMounts(extra ...Mount) (*Profile, error) {
	out := p.clone()
	for i, m := range extra {
		if err := m.check(); err != nil {
			return nil, fmt.Errorf("mount %q: %w", m.Guest, err)
		}
		for _, earlier := range extra[:i] {
			if earlier.Guest == m.Guest {
				return nil, invalidf("mount %q is given twice; keep one", m.Guest)
			}
		}
		out.setMount(m)
	}
	for i, m := range out.Mounts {
		for _, other := range out.Mounts[:i] {
			if clash := m.clash(other); clash != "" {
				return nil, invalidf("mount %q: %s", m.Guest, clash)
			}
		}
	}
	if len(out.Mounts) > MaxMounts {
		return nil, invalidf("%d mounts are above the maximum of %d", len(out.Mounts), MaxMounts)
	}
	return out, nil
}

// setMount adds m in its place, or replaces the mount at the same guest path.
func (p *Profile) setMount(m Mount) {
	i, found := slices.BinarySearchFunc(p.Mounts, m.Guest, func(have Mount, guest string) int {
		return strings.Compare(have.Guest, guest)
	})
	if found {
		p.Mounts[i] = m
		return
	}
	p.Mounts = slices.Insert(p.Mounts, i, m)
}

func (p *Profile) clone() *Profile {
	out := *p
	out.Env = maps.Clone(p.Env)
	if out.Env == nil {
		out.Env = map[string]string{}
	}
	out.Mounts = slices.Clone(p.Mounts)
	out.Overridable = slices.Clone(p.Overridable)
	out.Packages = slices.Clone(p.Packages)
	out.Network = p.Network.clone()
	return &out
}
