package policies

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

// serverSessions reads the [server.sessions] table.
func (p *parser) serverSessions(v value, f *file) {
	s := &f.server.Sessions
	f.kept = v.line()
	var storage, prefix, cache at[string]
	p.table(v, fields{
		"storage": func(v value) { p.text(v, &storage) },
		"prefix":  func(v value) { p.text(v, &prefix) },
		"cache":   func(v value) { p.text(v, &cache) },
		"prune":   func(v value) { p.prune(v, &s.Prune) },
	})
	if storage.value != "" {
		if err := s.setStorage(storage.value); err != nil {
			p.addf(storage.line, "%s.storage: %v", v.key, err)
			return
		}
	}
	p.ofBucket(s, v.key+".prefix", prefix, func() (err error) {
		s.Prefix, err = checkPrefix(prefix.value)
		return err
	})
	p.ofBucket(s, v.key+".cache", cache, func() (err error) {
		s.Cache, err = resolvePath("directory", p.dir(), cache.value)
		return err
	})
}

// ofBucket reads a setting that only a bucket has.
func (p *parser) ofBucket(s *ServerSessions, key string, said at[string], read func() error) {
	if said.value == "" {
		return
	}
	if s.Bucket == "" {
		p.addf(said.line, `%s: is about a bucket; name one with storage = "s3://BUCKET", or leave it out`, key)
	} else if err := read(); err != nil {
		p.addf(said.line, "%s: %v", key, err)
	}
}

// bucketSchemes are those of buckets.
var bucketSchemes = []string{"s3", "azblob", "gs"}

// setStorage reads the URL of a storage. Messages do not repeat it where it holds a
// secret.
func (s *ServerSessions) setStorage(text string) error {
	const form = `write "file:///PATH", or "s3://BUCKET?region=REGION", "azblob://CONTAINER" or "gs://BUCKET"`
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return invalidf("this is not a URL; %s", form)
	case u.User != nil:
		return invalidf("it holds credentials, which belong in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY); delete what is before the \"@\"")
	case u.Fragment != "" || u.Opaque != "":
		return invalidf("%s is not a storage; %s", quote(text), form)
	case u.Scheme == "file":
		return s.setDir(u)
	case !slices.Contains(bucketSchemes, u.Scheme):
		return invalidf("%s is not a storage; %s", quote(text), form)
	case u.Host == "" || strings.Trim(u.Path, "/") != "":
		return invalidf("%s: want the name of a bucket and nothing else after %q; where in it is said by prefix", quote(text), u.Scheme+"://")
	}
	if _, err := url.ParseQuery(u.RawQuery); err != nil {
		return invalidf("%s: what follows the \"?\" cannot be read", quote(text))
	}
	s.Bucket = text
	return nil
}

func (s *ServerSessions) setDir(u *url.URL) error {
	path := u.Path
	if filepath.Separator == '\\' {
		path = strings.TrimPrefix(path, "/") // of /C:/path
	}
	path = filepath.FromSlash(path)
	if u.Host != "" || u.RawQuery != "" || !filepath.IsAbs(path) || strings.ContainsRune(path, 0) || isRoot(filepath.Clean(path)) {
		return invalidf(`%s: want the absolute path of a directory, as in "file:///var/lib/sandboxd/sessions"`, quote(u.String()))
	}
	s.Dir = filepath.Clean(path)
	return nil
}

// checkPrefix keeps names of objects to what every bucket takes.
func checkPrefix(prefix string) (string, error) {
	prefix = strings.TrimSuffix(prefix, "/")
	ok := prefix != "" && len(prefix) < MaxPrefix
	for part := range strings.SplitSeq(prefix, "/") {
		ok = ok && part != "" && part != "." && part != ".."
		for i := range len(part) {
			c := part[i]
			ok = ok && ('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-')
		}
	}
	if !ok {
		return "", invalidf("%s cannot begin the names of objects; use letters, digits, '.', '_', '-' and, between them, '/', at most %d", quote(prefix), MaxPrefix)
	}
	return prefix + "/", nil
}

// prune reads which sessions are removed without being asked.
func (p *parser) prune(v value, to *Prune) {
	before := len(p.problems)
	p.table(v, fields{
		"age":   func(v value) { to.Age = p.pruneTime(v) },
		"idle":  func(v value) { to.Idle = p.pruneTime(v) },
		"every": func(v value) { to.Every = p.pruneTime(v) },
		"count": func(v value) { to.Count = p.count(v, MaxPruneCount) },
		"bytes": func(v value) { to.Bytes = p.pruneBytes(v) },
	})
	if len(p.problems) > before {
		return
	}
	if to.Age == 0 && to.Idle == 0 && to.Count == 0 && to.Bytes == 0 {
		p.addf(v.line(), "%s: says not which sessions go; write one of age, idle, count and bytes, or leave it out", v.key)
		return
	}
	if to.Every == 0 {
		to.Every = DefaultPruneEvery
	}
}

func (p *parser) pruneTime(v value) (d Duration) {
	err := d.UnmarshalTOML(v.data)
	switch {
	case err != nil:
		p.addf(v.line(), "%s: %v", v.key, err)
	case d < MinPruneTime:
		p.addf(v.line(), "%s: %v is below the minimum of %v", v.key, d, MinPruneTime)
	case d > MaxPruneTime:
		p.addf(v.line(), "%s: %v is above the maximum of %v", v.key, d, MaxPruneTime)
	}
	return d
}

func (p *parser) pruneBytes(v value) (size Bytes) {
	err := size.UnmarshalTOML(v.data)
	switch {
	case err != nil:
		p.addf(v.line(), "%s: %v", v.key, err)
	case size == 0:
		p.addf(v.line(), "%s: 0 would leave no session; set at least 1, or leave the key out", v.key)
	case size > MaxPruneBytes:
		p.addf(v.line(), "%s: %v is above the maximum of %v", v.key, size, MaxPruneBytes)
	}
	return size
}

// Holds reports whether the directory dir, links in its path resolved, is or holds one
// that sessions are in, or will when it is made.
func (s ServerSessions) Holds(dir string) bool {
	return s.Dir != "" && holds(dir, s.Dir) || s.Cache != "" && holds(dir, s.Cache)
}

// hold reports whether a path, links resolved, lies where sessions are.
func (s ServerSessions) hold(path string) bool {
	return s.Dir != "" && holds(s.Dir, path) || s.Cache != "" && holds(s.Cache, path)
}
