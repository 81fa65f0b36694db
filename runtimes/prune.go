package runtimes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/sandboxd/sandboxd/internal/owned"
)

// PreparedDir is the directory in the cache for what package host makes of modules. Each
// folder in it was used last when it was modified last, as [owned.Touch] has it, and is
// held by [owned.Hold] while it is in use. They are named by keys of 32 hexadecimal
// digits, and PreparedTemp begins the names of those that are not made yet, or half gone.
const (
	PreparedDir  = "prepared"
	PreparedTemp = "new-"
)

// Used records that something made of d's module is used, where the cache can be written:
// [Store.Prune] removes what nothing uses. It is cheap.
func (s *Store) Used(d *Definition) { owned.Touch(s.path(d)) }

// PruneOptions say what of a cache is to go.
type PruneOptions struct {
	// Idle removes what nothing has used for longer. Zero is everything that nothing
	// uses at this moment.
	Idle time.Duration
	// Known are the runtimes whose modules stay, whenever they were last used.
	Known []*Definition
	// DryRun removes nothing, and tells what would be.
	DryRun bool
}

// Pruned is what a [Store.Prune] did, or would do.
type Pruned struct {
	DryRun  bool      `json:"dry_run"`
	Removed []Removed `json:"removed"`
	Skipped []Skipped `json:"skipped"`
	// Bytes is the size of all files that were removed.
	Bytes int64 `json:"bytes"`
}

// Removed is a file or folder that went.
type Removed struct {
	Name   string `json:"name"` // its path in the cache, with slashes
	Bytes  int64  `json:"bytes"`
	Reason string `json:"reason"`
}

// Skipped is a file or folder that was left alone although it may be one that should go.
type Skipped struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Names in the cache.
var (
	moduleName   = regexp.MustCompile(`^[0-9a-f]{64}\.wasm$`)
	fetchName    = regexp.MustCompile(`^` + tempPrefix + `[0-9]+$`)
	keptName     = regexp.MustCompile(`^([0-9a-f]{64}\` + lockSuffix + `|build-[a-z][a-z0-9_-]{0,31}\.json)$`)
	preparedName = regexp.MustCompile(`^[0-9a-f]{32}$`)
	makingName   = regexp.MustCompile(`^` + PreparedTemp + `[0-9]+$`)
)

// Prune removes what was prepared and nothing uses any more, modules that no known runtime
// has, and what killed processes left behind. What somebody holds stays, modules that were
// built from source or imported stay, and so does all that has another name, or is another
// kind of file, than sandboxd makes; of each the result tells. So it does of what cannot be
// removed. Nothing outside of the directory is touched, whatever links there are in it.
// What is half removed when the process is killed, nobody takes for whole, and the next
// Prune removes.
//
// An error means that the cache cannot be read, or that ctx ended; what was done by then
// is done.
func (s *Store) Prune(ctx context.Context, o PruneOptions) (*Pruned, error) {
	root, err := os.OpenRoot(s.Dir)
	if err != nil {
		return nil, unavailable("prune the runtime cache: %w", err)
	}
	defer func() { _ = root.Close() }()
	p := &pruning{
		Pruned: &Pruned{DryRun: o.DryRun, Removed: []Removed{}, Skipped: []Skipped{}},
		idle:   o.Idle, root: root, known: map[string]bool{},
	}
	for _, d := range o.Known {
		p.known[d.Source.SHA256], p.known[s.Prefer(d).Source.SHA256] = true, true
	}
	err = p.each(ctx, ".", p.top)
	if info, none := root.Lstat(PreparedDir); err == nil && none == nil && info.IsDir() {
		err = p.each(ctx, PreparedDir, p.prepared)
	}
	return p.Pruned, err
}

// pruning is one Prune.
type pruning struct {
	*Pruned

	idle  time.Duration
	root  *os.Root
	known map[string]bool // digests of modules
}

// each looks at everything in a directory.
func (p *pruning) each(ctx context.Context, dir string, look func(name string, info fs.FileInfo)) error {
	entries, err := fs.ReadDir(p.root.FS(), dir)
	if err != nil {
		return unavailable("prune the runtime cache: %w", err)
	}
	for _, e := range entries {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		name := path.Join(dir, e.Name())
		info, err := p.root.Lstat(name)
		if err != nil {
			p.skip(name, err)
			continue
		}
		look(name, info)
	}
	return nil
}

// top looks at what lies in the cache itself.
func (p *pruning) top(name string, info fs.FileInfo) {
	switch dir, file := info.IsDir(), info.Mode().IsRegular(); {
	case dir && fetchName.MatchString(name):
		p.leftBehind(name, info)
	case file && moduleName.MatchString(name):
		if !p.known[strings.TrimSuffix(name, ".wasm")] && p.old(info) {
			p.module(name, info)
		}
	case file && keptName.MatchString(name), dir && name == PreparedDir:
	default:
		p.skip(name, errForeign)
	}
}

// prepared looks at what lies in PreparedDir.
func (p *pruning) prepared(name string, info fs.FileInfo) {
	switch base := path.Base(name); {
	case info.IsDir() && preparedName.MatchString(base):
		if p.old(info) {
			p.image(name)
		}
	case info.IsDir() && makingName.MatchString(base):
		p.leftBehind(name, info)
	default:
		p.skip(name, errForeign)
	}
}

// Why something is left alone.
var (
	errForeign = errors.New("not known: left alone")
	errInUse   = errors.New("in use")
	errUsed    = errors.New("used meanwhile")
	errBuilt   = errors.New("built from source or imported: delete it by hand if nobody needs it")
)

// old reports whether something was used so long ago that it is to go.
func (p *pruning) old(info fs.FileInfo) bool {
	return p.idle == 0 || time.Since(info.ModTime()) > p.idle+owned.TouchEvery
}

func lastUsed(info fs.FileInfo) string {
	return "last used " + info.ModTime().UTC().Format(time.RFC3339)
}

// module removes a module that can be fetched again.
func (p *pruning) module(name string, info fs.FileInfo) {
	if info.Size() > maxModule {
		p.skip(name, errForeign)
		return
	}
	module, err := p.root.ReadFile(name)
	if err == nil {
		_, err = customSection(module, buildSection)
	}
	switch {
	case err == nil:
		p.skip(name, errBuilt)
	case errors.Is(err, errNoSection):
		p.remove(name, name, "no runtime names it, "+lastUsed(info))
	default: // it may be a build that is damaged
		p.skip(name, err)
	}
}

// image removes a prepared folder that nobody holds, and that nobody used since it was
// looked at. It is renamed first, so that nobody finds half of it.
func (p *pruning) image(name string) {
	lock, err := p.claim(name)
	if err != nil {
		p.skip(name, err)
		return
	}
	defer func() { _ = lock.Close() }()
	info, err := p.root.Lstat(name)
	if err == nil && !p.old(info) {
		err = errUsed
	}
	if err != nil {
		p.skip(name, err)
		return
	}
	aside := path.Join(PreparedDir, fmt.Sprint(PreparedTemp, rand.Uint64())) //nolint:gosec // any name
	p.remove(name, aside, lastUsed(info))
}

// leftBehind removes a temporary folder whose process was killed. Those that are in use
// are not as old; where they are held, that is known.
func (p *pruning) leftBehind(name string, info fs.FileInfo) {
	if time.Since(info.ModTime()) <= staleAfter {
		return
	}
	lock, err := p.claim(name)
	if err != nil {
		p.skip(name, err)
		return
	}
	defer func() { _ = lock.Close() }()
	p.remove(name, name, "left behind by a process that was killed")
}

// claim locks a folder that nobody holds. Where there are no locks, age alone decides: a
// process keeps what it has loaded, and makes again what goes while it loads it.
func (p *pruning) claim(name string) (io.Closer, error) {
	if !owned.Locks {
		return io.NopCloser(nil), nil // one that is open could not be renamed
	}
	dir, err := p.root.Open(name)
	if err != nil {
		return nil, err
	}
	free, err := owned.TryLock(dir)
	if err == nil && !free {
		err = errInUse
	}
	if err == nil {
		var locked, now fs.FileInfo
		if locked, err = dir.Stat(); err == nil {
			now, err = p.root.Lstat(name)
		}
		if err == nil && !os.SameFile(locked, now) {
			err = errUsed // it was removed, and made again
		}
	}
	if err != nil {
		_ = dir.Close()
		return nil, err
	}
	return dir, nil
}

// remove deletes a file or folder, by the name aside, or only says so.
func (p *pruning) remove(name, aside, reason string) {
	bytes, err := p.size(name)
	if err == nil && !p.DryRun {
		if aside != name {
			err = p.root.Rename(name, aside)
		}
		if err == nil {
			err = p.root.RemoveAll(aside)
		}
	}
	if err != nil {
		p.skip(name, err)
		return
	}
	p.Removed = append(p.Removed, Removed{name, bytes, reason})
	p.Bytes += bytes
}

// size adds up the sizes of all files in a folder, or is that of a file.
func (p *pruning) size(name string) (bytes int64, err error) {
	err = fs.WalkDir(p.root.FS(), name, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().IsRegular() {
			bytes += info.Size()
		}
		return err
	})
	return bytes, err
}

func (p *pruning) skip(name string, why error) {
	reason := why.Error()
	if errors.Is(why, fs.ErrNotExist) {
		reason = "removed meanwhile"
	}
	p.Skipped = append(p.Skipped, Skipped{name, reason})
}
