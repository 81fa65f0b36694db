package workspace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"
)

// A directory is listed in the order of its names, as many at a time as memory may
// hold: one larger than that is read several times. All the directories on the way
// to where a listing is hold at most half of what is left each, but never less than
// fewestNames, so a listing keeps at most mostNames + MaxDepth*fewestNames names.
const (
	mostNames   = 1 << 16
	fewestNames = 1 << 9
	// readBatch is how many names are read from the disk at a time.
	readBatch = 1 << 10
)

// ListOptions say which entries to list, and how.
type ListOptions struct {
	// Pattern selects entries by their whole path, such as "*.csv", "data/**" or
	// "**/*.py": "*", "?" and "[a-z]" match within a component as in
	// [path.Match], and a component "**" matches any number of them, none too.
	// Empty lists everything.
	Pattern string
	// After continues a listing behind the path that was listed last, which need
	// not be there any more. Empty starts at the beginning.
	After string
	// Hash fills in the SHA256 of every file listed, which reads it.
	Hash bool
}

// List lists the entries of a workspace, depth first: a directory, then what it
// holds, and entries of one directory in the order of their names, byte by byte.
// Links are listed and not followed.
//
// A directory that cannot be read is listed once more, with an error, and a file
// that cannot be hashed is listed with one; the listing goes on behind it. What
// vanishes while it is being listed is left out. The listing ends when ctx does, with ctx's
// error, and with [ErrName] at once if the options are unusable; an Entry without a
// Path means that nothing follows.
//
// A listing holds one directory open at a time, and up to some ten thousand names.
// A hostile workspace can make it slow, by directories with more entries than that;
// ctx bounds it.
func (w *Workspace) List(ctx context.Context, o ListOptions) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		g, err := parseGlob(o.Pattern)
		if err == nil && o.After != "" {
			err = checkAfter(o.After)
		}
		if err != nil {
			yield(Entry{}, fail("list", o.Pattern, err))
			return
		}
		l := lister{w: w, ctx: ctx, glob: g, hash: o.Hash, yield: yield, room: mostNames}
		if l.directory(".", 0, g.start(), o.After) {
			if err := ctx.Err(); err != nil {
				yield(Entry{}, err)
			}
		}
	}
}

// checkAfter accepts every path that a listing can give, however long.
func checkAfter(after string) error {
	for part := range strings.SplitSeq(after, "/") {
		if part == "" || len(part) > MaxName {
			return ErrName
		}
	}
	return nil
}

// lister is one listing.
type lister struct {
	w     *Workspace
	ctx   context.Context // of one call; a sequence has no other way to be given one
	glob  glob
	hash  bool
	yield func(Entry, error) bool
	room  int // how many more names may be held
}

// item is an entry of the directory being listed.
type item struct {
	name  string
	kind  Kind
	at    positions
	match bool
	entry Entry
	err   error
}

// directory lists the entries of one directory that come behind a path in it. It
// reports false when the consumer wants no more.
func (l *lister) directory(dir string, depth int, at positions, after string) bool {
	first, below, _ := strings.Cut(after, "/")
	for from, inclusive := first, after != ""; l.ctx.Err() == nil; inclusive = false {
		names, more, err := l.names(dir, from, inclusive)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNotDirectory) || l.ctx.Err() != nil {
			return true // gone, or something else by now
		}
		if err != nil {
			return l.yield(Entry{Path: dir, Kind: KindDirectory}, fail("list", dir, err))
		}
		items, err := l.look(dir, names, at)
		if err != nil {
			return true
		}
		l.room -= len(names)
		ok := l.items(dir, items, depth, first, below)
		l.room += len(names)
		if !ok || !more {
			return ok
		}
		from = names[len(names)-1].name
	}
	return true
}

// items lists some entries of a directory, and what the directories among them
// hold.
func (l *lister) items(dir string, items []item, depth int, first, below string) bool {
	for _, it := range items {
		if l.ctx.Err() != nil {
			return true
		}
		name := join(dir, it.name)
		rest := ""
		if it.name == first {
			rest = below // it was listed before, and some of its content
		} else if it.match && !l.one(it.entry, it.err) {
			return false
		}
		switch {
		case it.kind != KindDirectory || len(it.at) == 0:
		case depth+1 >= MaxDepth:
			if !l.yield(Entry{Path: name, Kind: KindDirectory}, fail("list", name, errDeep)) {
				return false
			}
		case !l.directory(name, depth+1, it.at, rest):
			return false
		}
	}
	return true
}

var errDeep = fmt.Errorf("%w: more than %d levels", ErrName, MaxDepth)

// one lists one entry.
func (l *lister) one(e Entry, err error) bool {
	if err != nil || !l.hash || e.Kind != KindFile {
		return l.yield(e, err)
	}
	size, sum, err := l.w.hash(l.ctx, e.Path)
	switch {
	case errors.Is(err, ErrNotFound) || l.ctx.Err() != nil:
		return true
	case err != nil:
		return l.yield(e, err)
	}
	e.Size, e.SHA256 = size, sum
	return l.yield(e, nil)
}

// look asks the disk about those names of a directory that match.
func (l *lister) look(dir string, names []dirent, at positions) ([]item, error) {
	root, err := l.w.directory(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // opened for reading
	items := make([]item, 0, len(names))
	for _, n := range names {
		it := item{name: n.name, kind: n.kind, at: l.glob.next(at, n.name)}
		if it.match = l.glob.matched(it.at); it.match {
			info, err := root.Lstat(n.name)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				continue
			case err != nil:
				it.entry = Entry{Path: join(dir, n.name), Kind: n.kind}
				it.err = fail("list", it.entry.Path, err)
			default:
				it.entry = entryOf(join(dir, n.name), info)
				it.kind = it.entry.Kind
			}
		}
		if it.match || it.kind == KindDirectory {
			items = append(items, it)
		}
	}
	return items, nil
}

// dirent is a name in a directory.
type dirent struct {
	name string
	kind Kind
}

// names returns the smallest names of a directory behind from, in their order, as
// many as may be held, and whether there are more.
func (l *lister) names(dir, from string, inclusive bool) (found []dirent, more bool, err error) {
	root, err := l.w.directory(dir)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = root.Close() }() // opened for reading
	file, err := root.Open(".")
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = file.Close() }() // opened for reading
	most := max(l.room/2, fewestNames)
	trim := func(to int) {
		slices.SortFunc(found, func(a, b dirent) int { return strings.Compare(a.name, b.name) })
		if len(found) > to {
			found, more = found[:to], true
		}
	}
	err = eachName(l.ctx, file, func(e fs.DirEntry) error {
		if name := e.Name(); name > from || inclusive && name == from {
			found = append(found, dirent{name, kindOf(e.Type())})
			if len(found) >= 2*most {
				trim(most)
			}
		}
		return nil
	})
	trim(most)
	return found, more, err
}

// eachName visits the entries of an open directory in the order of the disk, up to
// the first that visit fails of.
func eachName(ctx context.Context, dir *os.File, visit func(fs.DirEntry) error) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		entries, err := dir.ReadDir(readBatch)
		for _, e := range entries {
			if err := visit(e); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
