package policies

import (
	"os"
	"path/filepath"
	"strings"
)

// audit reads the [server.audit] table.
func (p *parser) audit(v value, f *file) {
	a := &f.server.Audit
	path := at[string]{line: v.line()}
	before := len(p.problems)
	p.table(v, fields{
		"file":     func(v value) { p.text(v, &path) },
		"max_size": func(v value) { a.MaxSize = p.auditSize(v) },
		"keep":     func(v value) { a.Keep = p.count(v, MaxAuditKeep) },
		"required": func(v value) { p.boolean(v, &a.Required) },
	})
	if path.value == "" {
		if len(p.problems) == before {
			p.addf(path.line, `%s.file: is missing; write the path of the file to keep, such as "audit/audit.jsonl"`, v.key)
		}
		return
	}
	file, err := resolveFile(p.dir(), path.value)
	if err != nil {
		p.addf(path.line, "%s.file: %v", v.key, err)
		return
	}
	a.File, f.audit = file, at[string]{file, path.line}
}

func (p *parser) auditSize(v value) (size Bytes) {
	err := size.UnmarshalTOML(v.data)
	switch {
	case err != nil:
		p.addf(v.line(), "%s: %v", v.key, err)
	case size < MinAuditSize:
		p.addf(v.line(), "%s: %v is below the minimum of %v", v.key, size, MinAuditSize)
	case size > MaxAuditSize:
		p.addf(v.line(), "%s: %v is above the maximum of %v", v.key, size, MaxAuditSize)
	}
	return size
}

func (p *parser) boolean(v value, to *bool) {
	b, ok := v.data.(bool)
	if !ok {
		p.addf(v.line(), "%s: want true or false, not %s", v.key, describe(v.data))
		return
	}
	*to = b
}

// resolveFile returns the absolute path of the file, which need not exist, that p
// names from dir.
func resolveFile(dir, p string) (string, error) {
	if p != "" && os.IsPathSeparator(p[len(p)-1]) {
		return "", invalidf("file %q is a directory; write the path of a file in it", p)
	}
	abs, err := resolvePath("file", dir, p)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(abs); err == nil && info.IsDir() || isRoot(abs) {
		return "", invalidf("file %q is a directory; write the path of a file in it", abs)
	}
	return abs, nil
}

// resolvePath returns the absolute form of p, which need not exist, from dir. what is
// what messages call it.
func resolvePath(what, dir, p string) (string, error) {
	switch {
	case strings.HasPrefix(p, "~"):
		return "", invalidf(`%s %q: "~" is not expanded; write the path in full`, what, p)
	case strings.ContainsRune(p, 0):
		return "", invalidf("%s %q holds a NUL character", what, p)
	}
	if !filepath.IsAbs(p) {
		p = filepath.Join(dir, p)
	}
	abs, err := filepath.Abs(p)
	if err != nil {
		return "", invalidf("%s %q: %v", what, p, err)
	}
	return abs, nil
}

// Holds reports whether the directory dir, links in its path resolved, holds the
// file, or will when it is made. A guest that sees dir would see what others ran,
// and one that may write to it could change the record.
func (a Audit) Holds(dir string) bool {
	return a.File != "" && holds(dir, filepath.Dir(a.File))
}

// is reports whether a path, links resolved, is the file or an older one of it.
func (a Audit) is(path string) bool {
	if a.File == "" || !holds(filepath.Dir(a.File), path) {
		return false
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		resolved = path // it is to come
	}
	name, rest, older := strings.Cut(filepath.Base(resolved), filepath.Base(a.File))
	return older && name == "" && holds(filepath.Dir(resolved), filepath.Dir(a.File)) && strings.Trim(rest, ".0123456789") == ""
}

// Overlap reports whether one of two paths of the host, links resolved, is the other or
// holds it, or will when that is made.
func Overlap(one, other string) bool { return holds(one, other) || holds(other, one) }

// holds reports whether the directory dir, links resolved, is or contains another one,
// or will when that is made.
func holds(dir, other string) bool {
	resolved, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false // what does not exist cannot be shown to a guest
	}
	if resolved, err = filepath.Abs(resolved); err != nil {
		return false
	}
	// The other may not exist yet: resolve as much of it as does.
	existing, rest := other, ""
	for {
		if link, err := filepath.EvalSymlinks(existing); err == nil {
			existing = link
			break
		}
		if isRoot(existing) {
			break
		}
		existing, rest = filepath.Dir(existing), filepath.Join(filepath.Base(existing), rest)
	}
	return within(filepath.Join(existing, rest), resolved, string(filepath.Separator))
}
