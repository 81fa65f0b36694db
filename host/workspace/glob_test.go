package workspace

import (
	"errors"
	"path"
	"strings"
	"testing"
)

// match runs a glob over the components of a path.
func (g glob) match(name string) bool {
	at := g.start()
	for part := range strings.SplitSeq(name, "/") {
		at = g.next(at, part)
	}
	return g.matched(at)
}

func TestGlobs(t *testing.T) {
	for _, test := range []struct {
		pattern  string
		yes, not []string
	}{
		{"", []string{"a", "a/b", "a/b/c"}, nil},
		{"**", []string{"a", "a/b", "a/b/c"}, nil},
		{"*", []string{"a", ".a", "\n", "\xff"}, []string{"a/b"}},
		{"*.csv", []string{"a.csv", ".csv"}, []string{"a.csvx", "a/a.csv", "a"}},
		{"**/*.csv", []string{"a.csv", "a/a.csv", "a/b/c/d.csv"}, []string{"a.csv/b", "a"}},
		{"data/**", []string{"data", "data/a", "data/a/b"}, []string{"dat", "database", "x/data"}},
		{"data/**/*.py", []string{"data/a.py", "data/a/b/c.py"}, []string{"data", "a.py", "data/a.pyc"}},
		{"**/a/**/b", []string{"a/b", "x/a/y/z/b", "a/a/b/b"}, []string{"a", "b", "a/c", "b/a"}},
		{"**/**/**/a", []string{"a", "x/y/a"}, []string{"b"}},
		{"a?c", []string{"abc", "aüc"}, []string{"ac", "abbc", "a/c"}},
		{"[a-c]x", []string{"ax", "cx"}, []string{"dx", "x"}},
		{"[^a]", []string{"b"}, []string{"a"}},
		{`\*`, []string{"*"}, []string{"a", `\*`}},
		{"a**b", []string{"ab", "axxb"}, []string{"a/b"}},
		{"*/", nil, nil},
	} {
		g, err := parseGlob(test.pattern)
		if test.yes == nil {
			if !errors.Is(err, ErrName) {
				t.Errorf("pattern %q: %v, want ErrName", test.pattern, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("pattern %q: %v", test.pattern, err)
			continue
		}
		for _, name := range test.yes {
			if !g.match(name) {
				t.Errorf("pattern %q does not match %q", test.pattern, name)
			}
		}
		for _, name := range test.not {
			if g.match(name) {
				t.Errorf("pattern %q matches %q", test.pattern, name)
			}
		}
	}
}

func TestBadGlobsAreRefused(t *testing.T) {
	for _, pattern := range []string{
		"/a", "a//b", "./a", "../a", "a/..", "[", "a/[b", "a[]", `a\`, "[a/b]",
		strings.Repeat("a", MaxPath+1), strings.Repeat("*/", MaxDepth) + "*",
	} {
		if _, err := parseGlob(pattern); !errors.Is(err, ErrName) {
			t.Errorf("pattern %.20q: %v, want ErrName", pattern, err)
		}
	}
}

// TestGlobsDoNotExplode would not end in a matcher that tries one alternative after
// the other.
func TestGlobsDoNotExplode(t *testing.T) {
	name := strings.Repeat("a/", MaxDepth-2) + "a"
	for _, pattern := range []string{
		strings.Repeat("**/a/", 60) + "b",
		strings.Repeat("**/*/", 60) + "b",
	} {
		g, err := parseGlob(pattern)
		if err != nil || g.match(name) {
			t.Errorf("%v", err)
		}
	}
	g, err := parseGlob(strings.Repeat("*a", 1000) + "b")
	if err != nil || g.match(strings.Repeat("a", MaxName)) {
		t.Errorf("%v", err)
	}
}

// slowMatch is the definition of a match.
func slowMatch(pattern, name []string) bool {
	if len(pattern) == 0 {
		return len(name) == 0
	}
	if pattern[0] == "**" {
		return slowMatch(pattern[1:], name) || len(name) > 0 && slowMatch(pattern, name[1:])
	}
	if len(name) == 0 {
		return false
	}
	ok, _ := path.Match(pattern[0], name[0])
	return ok && slowMatch(pattern[1:], name[1:])
}

func FuzzGlob(f *testing.F) {
	f.Add("**/*.csv", "a/b.csv")
	f.Add("a/**/b/**", "a/x/b/y")
	f.Add("[a-]/?", "a/\xff")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		g, err := parseGlob(pattern)
		if err != nil {
			if !errors.Is(err, ErrName) {
				t.Errorf("pattern %q: %v", pattern, err)
			}
			return
		}
		got := g.match(name)
		if len(pattern) > 100 || strings.Count(pattern, "**") > 4 || strings.Count(name, "/") > 20 {
			return // the definition would take too long
		}
		if want := slowMatch(g, strings.Split(name, "/")); got != want {
			t.Errorf("%q matches %q: %v, want %v", pattern, name, got, want)
		}
	})
}

// FuzzNames tries every name on a world full of traps.
func FuzzNames(f *testing.F) {
	for _, name := range []string{"a/b", "..", "up/canary", "out", "dir/parent/x", "/", "", "a\x00", "pipe", "dir/parent/../outside/canary", "C:x", `..\x`} {
		f.Add(name, "new")
		f.Add("file", name)
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		w := hostileWorld(t)
		if content, err := w.get(one); err == nil && content == canary {
			t.Errorf("read %q outside", one)
		}
		_, _ = w.Stat(one)
		_ = w.put(one, Append, "x")
		_ = w.Move(one, two)
		_ = w.put(two, Replace, "y")
		_ = w.Remove(one)
		_ = w.RemoveAll(t.Context(), two)
		w.checkOutside()
		if err := w.RemoveAll(t.Context(), "."); err != nil {
			t.Error(err)
		}
	})
}
