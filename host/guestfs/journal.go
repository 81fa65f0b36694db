package guestfs

import "slices"

// Changes are the regular files a guest changed, as sorted guest paths such as
// "/app/out.csv". A file that was created and deleted again is in none of the
// lists; one that was deleted and created again is modified. A renamed file is
// deleted under its old path and created under its new one, and so is every file
// below a renamed directory. Links that the guest deleted count as files.
type Changes struct {
	Created, Modified, Deleted []string
}

// journal is what the guest did to each path: whether a file was there before,
// whether one is there now, and whether its content may differ. The zero value is
// empty. It holds no path that was absent before and is absent now, so it is
// never larger than what exists.
type journal struct {
	entries map[string]entry
}

type entry struct {
	before, now, changed bool
}

func (j *journal) created(path string) {
	e := j.entries[path]
	j.set(path, entry{before: e.before, now: true, changed: true})
}

func (j *journal) modified(path string) {
	e, ok := j.entries[path]
	j.set(path, entry{before: e.before || !ok, now: true, changed: true})
}

func (j *journal) deleted(path string) {
	e, ok := j.entries[path]
	j.set(path, entry{before: e.before || !ok})
}

func (j *journal) set(path string, e entry) {
	if !e.before && !e.now {
		delete(j.entries, path)
		return
	}
	if j.entries == nil {
		j.entries = map[string]entry{}
	}
	j.entries[path] = e
}

func (j *journal) changes() Changes {
	var c Changes
	for path, e := range j.entries {
		switch {
		case !e.now:
			c.Deleted = append(c.Deleted, path)
		case !e.before:
			c.Created = append(c.Created, path)
		case e.changed:
			c.Modified = append(c.Modified, path)
		}
	}
	slices.Sort(c.Created)
	slices.Sort(c.Modified)
	slices.Sort(c.Deleted)
	return c
}
