package policies

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
)

// sound says what is wrong with a profile that was accepted, by rules written
// again rather than by those of the code under test.
func sound(p *Profile) error {
	switch {
	case p.Fuel < 1 || p.Fuel > 1e18:
		return fmt.Errorf("fuel is %d", p.Fuel)
	case p.Memory < 1<<20 || p.Memory > 1<<32:
		return fmt.Errorf("memory is %d", p.Memory)
	case uint64(p.MemoryPages())*65536 > uint64(p.Memory) || uint64(p.MemoryPages()+1)*65536 <= uint64(p.Memory):
		return fmt.Errorf("%d bytes of memory are %d pages", p.Memory, p.MemoryPages())
	case min(p.Stdout, p.Stderr) < 1 || max(p.Stdout, p.Stderr) > 1<<30:
		return fmt.Errorf("output is %d and %d", p.Stdout, p.Stderr)
	case time.Duration(p.Timeout) < time.Millisecond || time.Duration(p.Timeout) > 24*time.Hour:
		return fmt.Errorf("timeout is %d", p.Timeout)
	case p.Disk.Quota < 1 || p.Disk.Quota > 1<<40 || p.Disk.Files < 1 || p.Disk.Files > 1e7:
		return fmt.Errorf("disk is %v", p.Disk)
	case p.Disk.Largest() < 1 || p.Disk.Largest() > 1<<40 || p.Disk.Depth < 1 || p.Disk.Depth > 256 || p.Disk.OpenFiles < 8 || p.Disk.OpenFiles > 1024:
		return fmt.Errorf("disk is %v", p.Disk)
	case p.OutputLimit != "truncate" && p.OutputLimit != "stop":
		return fmt.Errorf("output_limit is %q", p.OutputLimit)
	case !slices.IsSorted(p.Overridable) || len(slices.Compact(slices.Clone(p.Overridable))) != len(p.Overridable):
		return fmt.Errorf("overridable is %q", p.Overridable)
	case len(p.Env) > 256 || len(p.Mounts) > 64:
		return fmt.Errorf("%d variables, %d mounts", len(p.Env), len(p.Mounts))
	}
	for name, value := range p.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00") {
			return fmt.Errorf("variable %q is %q", name, value)
		}
	}
	if err := soundNetwork(p.Network); err != nil {
		return err
	}
	return soundMounts(p.Mounts)
}

func soundNetwork(n Network) error {
	switch {
	case n.Requests < 1 || n.Requests > 1000 || n.Total < 1 || n.Total > 1<<30:
		return fmt.Errorf("%d requests, %d bytes", n.Requests, n.Total)
	case min(n.MaxRequest, n.MaxResponse) < 1 || max(n.MaxRequest, n.MaxResponse) > 64<<20:
		return fmt.Errorf("bodies of %d and %d", n.MaxRequest, n.MaxResponse)
	case time.Duration(n.Timeout) < time.Millisecond || time.Duration(n.Timeout) > 10*time.Minute:
		return fmt.Errorf("network timeout is %d", n.Timeout)
	}
	for _, h := range n.Headers {
		if ReservedHeader(h.Name) || (h.Env == "") == (h.File == "") || len(h.Match.Methods) > 0 {
			return fmt.Errorf("header %+v", h)
		}
	}
	for _, p := range n.Allow {
		if again, err := parsePattern(p.String()); err != nil || again.String() != p.String() {
			return fmt.Errorf("pattern %v is read again as %v: %w", p, again, err)
		}
	}
	return nil
}

func soundMounts(mounts []Mount) error {
	for i, m := range mounts {
		info, err := os.Stat(m.Host)
		if err != nil || !info.IsDir() || !filepath.IsAbs(m.Host) || m.Host == "/" {
			return fmt.Errorf("mount of %q: %w", m.Host, err)
		}
		if !path.IsAbs(m.Guest) || m.Guest == "/" || path.Clean(m.Guest) != m.Guest {
			return fmt.Errorf("mount at %q", m.Guest)
		}
		for _, reserved := range []string{"/app", "/.sandboxd"} {
			if strings.HasPrefix(m.Guest+"/", reserved+"/") {
				return fmt.Errorf("mount at %q", m.Guest)
			}
		}
		for j, other := range mounts {
			if i != j && (strings.HasPrefix(m.Guest+"/", other.Guest+"/") || strings.HasPrefix(m.Host+"/", other.Host+"/")) {
				return fmt.Errorf("%v overlaps with %v", m, other)
			}
		}
	}
	return nil
}

func soundMCP(m MCP) error {
	for _, tools := range [][]string{m.Tools, m.DisableTools} {
		if slices.ContainsFunc(tools, func(name string) bool { return !slices.Contains(MCPTools(), name) }) || tools != nil && len(tools) == 0 {
			return fmt.Errorf("tools are %q", tools)
		}
	}
	for _, path := range m.ExternalFiles {
		if !filepath.IsAbs(path) || path == "/" || strings.Contains(path, "\x00") {
			return fmt.Errorf("external file %q", path)
		}
	}
	if m.MaxExternalFileSize > 1<<40 || m.Rate != 0 && !(m.Rate >= 0.001 && m.Rate <= 1e6) || m.Concurrent < 0 || m.Concurrent > 10000 {
		return fmt.Errorf("agents are offered %+v", m)
	}
	return nil
}

func seeds(f *testing.F) {
	f.Helper()
	for _, s := range []string{
		"", "default_profile = \"x\"\n[profiles.x]\nextends = \"strict\"\nfuel = 5_000\nmemory = \"64MiB\"\ntimeout = \"1m30s\"\n",
		"[profiles.x]\nstdout = 100\nstderr = '1KB'\noverridable = [\"fuel\", # why\n\"disk.quota\"]\noutput_limit = \"stop\"\ndisk = { quota = \"1MB\", files = 3 }",
		"[runtimes.python]\npreload = [\"jinja2\", 'a.b',\n\"x-y\"]\n[runtimes.\"a b\"]\n",
		"[mcp]\ntools = [\"execute_code\", # why\n\"list_files\"]\ndisable_tools = [\"read_fil\"]\nexternal_files = [\"a\", \"../b\"]\nmax_external_file_size = \"1MB\"\nrate = 0.5\nconcurrent = 2",
		"[server.audit]\nfile = \"audit.jsonl\"\nmax_size = \"1MiB\"\nkeep = 2\nrequired = true",
		"[profiles.x.env]\nA = \"\"\"\na\\\n b\"\"\"\"\n\"b c\" = '''d\n'''\nLANG = false\n[server]\nqueue = 5\nharden = true\nmax_concurrent = 0x4",
		"[[profiles.x.mounts]]\nhost = \"/tmp\"\nguest = \"/data\"\n[[profiles.x.mounts]]\nhost = \"/usr\"\nguest = \"/usr\"\nmode = \"rw\"\n",
		"[profiles.a]\nextends=\"b\"\n[profiles.b]\nextends=\"a\"", "[profiles.strict]\nextends=\"a\"\n[profiles.a]",
		"a.b.c = [{ d = 1, e = [[], [{}]] }]\n[[x]]\ny = 1\n[x.z]\n[[x]]\n[[x.w]]\nv=2", "x = 64MiB", "a = {b=1, b=2}", "\xef\xbb\xbfa = 1", "a = \"\\u0041\"\r\nb = 1979-05-27 07:32:00",
		"[profiles.x.network]\nallow=[\"GET,PUT https://a.b:81/c/*\"]\nprivate=[\"[::1]:80\"]\ntotal=\"1MiB\"\n[[profiles.x.network.headers]]\nmatch=\"https://a.b/*\"\nname=\"A\"\nenv=\"E\"",
		"\"\\u0041\" = { \"x y\".z = 1 }", strings.Repeat("[", 40), "a = '''", "a = \"\"\"\\", "a = \"\\",
	} {
		f.Add(s)
	}
}

var located = regexp.MustCompile(`^sandbox\.toml:([0-9]+): .`)

// FuzzParse claims that no file makes the parser panic, that what it accepts is
// sound, and that what it refuses is refused line by line.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		policy, err := Parse("sandbox.toml", []byte(text))
		if err != nil {
			checkProblems(t, text, err)
			return
		}
		if err := soundMCP(policy.MCP()); err != nil {
			t.Error(err)
		}
		if _, err := policy.Profile(policy.Default()); err != nil {
			t.Errorf("default profile: %v", err)
		}
		for _, name := range policy.Names() {
			p, err := policy.Profile(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := sound(p); err != nil || p.Name != name {
				t.Errorf("profile %q, called %q: %v", name, p.Name, err)
			}
			settings, err := policy.Explain(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range settings {
				if s.Key == "" || s.Origin == "" {
					t.Errorf("profile %q: setting %+v has no origin", name, s)
				}
			}
		}
	})
}

func checkProblems(t *testing.T, text string, err error) {
	t.Helper()
	if !errors.Is(err, ErrInvalid) {
		t.Errorf("%v is not an ErrInvalid", err)
	}
	last := 0
	for line := range strings.Lines(err.Error()) {
		m := located.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("problem without a place: %q", line)
		}
		n, _ := strconv.Atoi(m[1])
		if n < 1 || n < last || n > strings.Count(text, "\n")+1 {
			t.Errorf("problem on line %d after line %d of %d: %s", n, last, strings.Count(text, "\n")+1, line)
		}
		last = n
	}
}

// FuzzLocate claims that the locator sees what the TOML library sees: the same
// keys and list items, whatever the file.
func FuzzLocate(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		if p := (&parser{}); !p.isText([]byte(text)) {
			return
		}
		text = strings.TrimLeft(text, "\ufeff") // the library skips one more
		l := &locator{src: text, line: 1, again: map[int]*node{}}
		lines, err := l.locate()
		if l.pos > len(text) || l.line > strings.Count(text, "\n")+1 {
			t.Fatalf("stopped at %d of %d, line %d", l.pos, len(text), l.line)
		}
		if errors.Is(err, errDeep) {
			return
		}
		var doc map[string]any
		if _, decodeErr := toml.Decode(text, &doc); decodeErr != nil {
			return
		}
		if err != nil {
			t.Fatalf("the library reads it, the locator stops on line %d", l.line)
		}
		sameShape(t, "", doc, lines, strings.Split(text, "\n"))
	})
}

// sameShape compares a decoded value with its lines.
func sameShape(t *testing.T, key string, v any, n *node, text []string) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		if len(v) != len(n.keys) {
			t.Errorf("%q: the library has %d keys, the locator %d", key, len(v), len(n.keys))
		}
		for k, child := range v {
			at, ok := n.keys[k]
			if !ok {
				t.Fatalf("%q: no line of key %q", key, k)
			}
			if at.line < 1 || at.line > len(text) {
				t.Errorf("%q: key %q is on line %d of %d", key, k, at.line, len(text))
			}
			if isPlain(k) && !strings.Contains(text[at.line-1], k) && !strings.Contains(text[at.line-1], `\`) {
				t.Errorf("%q: line %d does not hold key %q", key, at.line, k)
			}
			sameShape(t, key+"."+k, child, at, text)
		}
	case []map[string]any:
		sameItems(t, key, v, n, text)
	case []any:
		sameItems(t, key, v, n, text)
	}
}

func sameItems[T any](t *testing.T, key string, list []T, n *node, text []string) {
	t.Helper()
	if len(list) != len(n.items) {
		t.Fatalf("%q: the library has %d items, the locator %d", key, len(list), len(n.items))
	}
	for i, item := range list {
		sameShape(t, fmt.Sprintf("%s[%d]", key, i), item, n.items[i], text)
	}
}

func isPlain(key string) bool {
	for i := range len(key) {
		if !isBare(key[i]) {
			return false
		}
	}
	return key != ""
}

// FuzzParseBytes claims that a size survives being printed.
func FuzzParseBytes(f *testing.F) {
	for _, s := range []string{"0", "64MiB", "100KB", "1GB", "18446744073709551615", "18446744073709551616", "1024B", "-1", "5 MB", strings.Repeat("5", 900) + "M"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, err := ParseBytes(s)
		if err != nil {
			if !errors.Is(err, ErrInvalid) || len(err.Error()) > 800 {
				t.Errorf("ParseBytes(%q): %v", s, err)
			}
			return
		}
		if again, err := ParseBytes(b.String()); err != nil || again != b {
			t.Errorf("%q is %d, prints as %q and reads back as %d, %v", s, b, b, again, err)
		}
	})
}

// FuzzParseDuration claims that a duration survives being printed.
func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"0s", "10s", "1m30s", "2h", "1h0m1s", "1.5h", "5", "-5s", "1us", "2562047h47m16.854775807s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if err != nil {
			if !errors.Is(err, ErrInvalid) || len(err.Error()) > 800 {
				t.Errorf("ParseDuration(%q): %v", s, err)
			}
			return
		}
		if again, err := ParseDuration(d.String()); err != nil || again != d || d < 0 {
			t.Errorf("%q is %d, prints as %q and reads back as %d, %v", s, d, d, again, err)
		}
	})
}

// FuzzParseMount claims that what a person types as a mount is a sound mount or
// an error.
func FuzzParseMount(f *testing.F) {
	for _, s := range []string{"/tmp:/data", "/tmp:/data:rw", ".:/data:ro", "/:/data", "/tmp:/app", ":", "a:b:c", "/tmp:/x:/y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseMount(s)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("ParseMount(%q): %v", s, err)
			}
			return
		}
		if err := soundMounts([]Mount{m}); err != nil {
			t.Errorf("ParseMount(%q): %v", s, err)
		}
	})
}
