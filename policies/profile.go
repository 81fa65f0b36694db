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
}

// Disk bounds the files a program leaves in the places it can write to.
type Disk struct {
	// Quota is the total apparent size of its files, in bytes, from 1 to
	// [MaxDiskQuota].
	Quota Bytes
	// Files is how many files and directories there may be, from 1 to
	// [MaxDiskFiles].
	Files uint64
}

// Overrides is what one request asks to change; nil means not asked.
type Overrides struct {
	Fuel           *uint64
	Memory         *Bytes
	Stdout, Stderr *Bytes
	Timeout        *Duration
	DiskQuota      *Bytes
	DiskFiles      *uint64
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
	return &out
}
