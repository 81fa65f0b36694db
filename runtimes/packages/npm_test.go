package packages

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The test binary doubles as a fake npm that packs the archives in a directory, which
// are named as the packages are, and resolves to the lock file in it.
const fakeArchives = "SANDBOXD_FAKE_NPM_ARCHIVES"

func fakeNPM(args []string) int {
	end := slices.Index(args, "--")
	if end < 0 || !slices.Contains(args[:end], "--ignore-scripts") {
		fmt.Fprintln(os.Stderr, "asked for", args)
		return 2
	}
	dir := os.Getenv(fakeArchives)
	if args[0] == "install" {
		data, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
		if err != nil {
			fmt.Fprintln(os.Stderr, "npm error code E404")
			return 1
		}
		return report(os.WriteFile("package-lock.json", data, 0o600))
	}
	for _, arg := range args[:end] {
		to, ok := strings.CutPrefix(arg, "--pack-destination=")
		if !ok {
			continue
		}
		for _, spec := range args[end+1:] {
			data, err := os.ReadFile(filepath.Join(dir, strings.ReplaceAll(spec, "/", "%")))
			if err != nil {
				fmt.Fprintln(os.Stderr, "npm error code ETARGET")
				return 1
			}
			name := strings.NewReplacer("/", "-", "@", "-").Replace(strings.TrimPrefix(spec, "@")) + ".tgz"
			if code := report(os.WriteFile(filepath.Join(to, name), data, 0o600)); code != 0 {
				return code
			}
		}
	}
	return 0
}

func report(err error) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	return 0
}

// archived is a .tgz of files by their names, below "package/".
func archived(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var headers []*tar.Header
	for name, content := range files {
		headers = append(headers, &tar.Header{Typeflag: tar.TypeReg, Name: "package/" + name, Mode: 0o644, Size: int64(len(content))})
	}
	slices.SortFunc(headers, func(a, b *tar.Header) int { return strings.Compare(a.Name, b.Name) })
	return archivedAs(t, files, headers...)
}

func archivedAs(t testing.TB, files map[string]string, headers ...*tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	w := tar.NewWriter(zipped)
	for _, h := range headers {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[strings.TrimPrefix(h.Name, "package/")])); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func integrityOf(data []byte) string {
	sum := sha512.Sum512(data)
	return "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
}

var someIntegrity = integrityOf(nil)

func TestNPMSpecs(t *testing.T) {
	for _, test := range []struct {
		spec, name, version string
		ok                  bool
	}{
		{"lodash", "lodash", "", true},
		{"date-fns@4", "date-fns", "4", true},
		{"@scope/name@^1.2.3", "@scope/name", "^1.2.3", true},
		{"@scope/name", "@scope/name", "", true},
		{"name==1.2.3", "name", "1.2.3", true},
		{"name@1.2.3-beta.1", "name", "1.2.3-beta.1", true},
		{"name@latest", "name", "latest", true},
		{"name@", "", "", false},
		{"__proto__", "", "", false},
		{"../x@1", "", "", false},
		{"@scope/../x@1", "", "", false},
		{"node_modules@1", "", "", false},
		{"Upper@1", "", "", false},
		{"a@npm:b@1", "", "", false},
		{"a@file:../x", "", "", false},
		{"a@git+https://host/x", "", "", false},
		{"https://host/x.tgz", "", "", false},
		{"-g@1", "", "", false},
		{"a@>=1 <2", "", "", false},
		{strings.Repeat("a", 300), "", "", false},
		{"", "", "", false},
	} {
		name, version, err := parseNPMSpec(test.spec)
		if name != test.name || version != test.version || (err == nil) != test.ok || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: got %q, %q, %v", test.spec, name, version, err)
		}
	}
}

func TestSatisfies(t *testing.T) {
	for _, test := range []struct {
		version, wanted string
		want            bool
	}{
		{"4.1.0", "", true},
		{"4.1.0", "4", true},
		{"4.1.0", "^4", true},
		{"4.1.0", "~4.1", true},
		{"4.1.0", "4.1.0", true},
		{"4.1.0", "4.2", false},
		{"41.0.0", "4", false},
		{"4.1.0", "latest", false},
	} {
		if got := satisfies(test.version, test.wanted); got != test.want {
			t.Errorf("%s for %q: got %v", test.version, test.wanted, got)
		}
	}
}

func TestNPMLocksAreStrict(t *testing.T) {
	lock := func(fields string) string {
		return "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsummary = \"\"\nintegrity = \"" + someIntegrity + "\"\n" + fields
	}
	needs := func(fields string) string {
		return lock("bundled = [{ version = \"1.0.0\", integrity = \"" + someIntegrity + "\", " + fields + " }]\n")
	}
	for _, test := range []struct{ text, want string }{
		{lock(""), ""},
		{needs(`name = "JSONStream"`), ""},
		{needs(`name = "b", at = "node_modules/c/node_modules/b"`), ""},
		{lock(`subpaths = ["locale/de"]`), ""},
		{lock(`subpath = ["x"]`), "unknown key"},
		{strings.ReplaceAll(lock(""), `"a"`, `"__proto__"`), "a name that is none"},
		{strings.ReplaceAll(lock(""), `"a"`, `"../a"`), "a name that is none"},
		{strings.ReplaceAll(lock(""), `"a"`, `"node_modules"`), "a name that is none"},
		{strings.ReplaceAll(lock(""), "1.0.0", "1"), "version"},
		{strings.ReplaceAll(lock(""), "sha512-", "sha1-"), "integrity"},
		{lock(`subpaths = ["../x"]`), "subpaths"},
		{lock(`subpaths = ["__proto__/.."]`), "subpaths"},
		{lock(`bundle = "x"`), "bundle"},
		{needs(`name = "../b"`), "no pinned package"},
		{needs(`name = "b", at = "node_modules/../../b"`), "no place of one"},
		{needs(`name = "b", at = "/b"`), "no place of one"},
		{needs(`name = "A"`), "two packages at"},
		{lock("") + "\n" + lock(""), "is there twice"},
	} {
		_, err := ParseNPMLock("x.toml", []byte(test.text))
		if test.want == "" && err != nil || test.want != "" && (!errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s\ngot %v, want %q", test.text, err, test.want)
		}
	}
}

func TestPackageLocks(t *testing.T) {
	entry := func(fields string) string {
		return `{"version": "1.0.0", "integrity": "` + someIntegrity + `"` + fields + `}`
	}
	lock := func(entries string) string {
		return `{"lockfileVersion": 3, "packages": {"": {}, "node_modules/a": ` + entry("") + entries + `}}`
	}
	for _, test := range []struct{ text, want, bundled string }{
		{lock(""), "", ""},
		{lock(`, "node_modules/b": ` + entry("")), "", "node_modules/b=b"},
		{lock(`, "node_modules/b/node_modules/@s/c": ` + entry("")), "", "node_modules/b/node_modules/@s/c=@s/c"},
		{lock(`, "node_modules/alias": ` + entry(`, "name": "real"`)), "", "node_modules/alias=real"},
		{lock(`, "node_modules/b": ` + entry(`, "optional": true, "hasInstallScript": true`)), "", ""},
		{lock(`, "node_modules/b": ` + entry(`, "hasInstallScript": true`)), "needs b, which runs code of its own", ""},
		{lock(`, "node_modules/b": ` + entry(`, "link": true`)), "not in the registry", ""},
		{lock(`, "node_modules/../b": ` + entry("")), "no place", ""},
		{lock(`, "node_modules/b/../../c": ` + entry("")), "no place", ""},
		{lock(`, "elsewhere": ` + entry("")), "no place", ""},
		{lock(`, "node_modules/b": ` + entry(`, "name": "../x"`)), "no pinned package", ""},
		{lock(`, "node_modules/__proto__": ` + entry("")), "no place", ""},
		{lock(`, "node_modules/b": {"version": "git+ssh://x", "integrity": "` + someIntegrity + `"}`), "no pinned package", ""},
		{lock(`, "node_modules/b": {"version": "1.0.0"}`), "no pinned package", ""},
		{`{"lockfileVersion": 3, "packages": {}}`, "does not have a", ""},
		{`{"lockfileVersion": 1}`, "has version 1, not 3", ""},
		{`[]`, "npm's lock file", ""},
	} {
		p, err := readPackageLock("a", []byte(test.text))
		if test.want != "" {
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s\ngot %v, want %q", test.text, err, test.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s\n%v", test.text, err)
			continue
		}
		var bundled []string
		for _, d := range p.Bundled {
			bundled = append(bundled, d.place()+"="+d.Name)
		}
		if got := strings.Join(bundled, " "); got != test.bundled {
			t.Errorf("%s\nneeds %q, want %q", test.text, got, test.bundled)
		}
	}
}

func TestExportsAreResolvedAsNodeDoes(t *testing.T) {
	all := func(string) bool { return true }
	for _, test := range []struct{ manifest, subpath, imports, require string }{
		{`{"exports": "./a.js"}`, "", "a.js", "a.js"},
		{`{"exports": {"import": "./a.mjs", "require": "./a.cjs"}}`, "", "a.mjs", "a.cjs"},
		{`{"exports": {"require": "./a.cjs", "default": "./a.mjs"}}`, "", "a.mjs", "a.cjs"},
		{`{"exports": {"default": "./d.js", "import": "./a.mjs"}}`, "", "d.js", "d.js"},
		{`{"exports": {"browser": "./b.js", "node": {"import": "./n.mjs"}, "require": "./r.js"}}`, "", "n.mjs", "r.js"},
		{`{"exports": {"node": null, "default": "./d.js"}}`, "", "", ""},
		{`{"exports": {".": ["a", "./b.js"]}}`, "", "", ""},
		{`{"exports": {".": [{"import": "./i.js"}, "./b.js"]}}`, "", "i.js", "b.js"},
		{`{"exports": {".": "./a.js", "./x": "./lib/x.js"}}`, "x", "lib/x.js", "lib/x.js"},
		{`{"exports": {"./*": "./lib/*.js", "./in/*": "./in/*.mjs", "./in/hidden": null}}`, "in/y", "in/y.mjs", "in/y.mjs"},
		{`{"exports": {"./*": "./lib/*.js", "./in/*": "./in/*.mjs", "./in/hidden": null}}`, "in/hidden", "", ""},
		{`{"exports": {"./*.js": "./lib/*.js"}}`, "y", "", ""},
		{`{"exports": "./../a.js"}`, "", "", ""},
		{`{"exports": ".//etc/a.js"}`, "", "", ""},
		{`{"exports": "./node_modules/b/a.js"}`, "", "", ""},
		{`{"exports": "/etc/a.js"}`, "", "", ""},
		{`{"exports": "other"}`, "", "", ""},
		{`{"exports": {"./*": "./lib/*"}}`, "../../x.js", "", ""},
		{`{"exports": {"types": "./a.d.ts"}}`, "", "", ""},
		{`{"exports": {".": {"types": "./a.d.ts", "default": "./a.json"}}}`, "", "", ""},
		{`{"exports": {"__proto__": "./a.js", "constructor": "./b.js", "default": "./c.js"}}`, "", "c.js", "c.js"},
		{`{"exports": 7}`, "", "", ""},
	} {
		m, err := parseManifest([]byte(test.manifest))
		if err != nil {
			t.Errorf("%s: %v", test.manifest, err)
			continue
		}
		imports, require := m.exported(test.subpath, likeNode.imports, all), m.exported(test.subpath, likeNode.require, all)
		if imports != test.imports || require != test.require {
			t.Errorf("%s, %q: got %q and %q, want %q and %q", test.manifest, test.subpath, imports, require, test.imports, test.require)
		}
	}
	if _, err := parseManifest([]byte(`{"exports": ` + strings.Repeat("[", 50) + strings.Repeat("]", 50) + `}`)); !errors.Is(err, ErrInvalid) {
		t.Errorf("exports of 50 levels: %v", err)
	}
}

func TestMainFiles(t *testing.T) {
	for _, test := range []struct{ manifest, files, want string }{
		{`{"main": "./lib/a.js"}`, "lib/a.js", "lib/a.js"},
		{`{"main": "lib"}`, "lib/index.js", "lib/index.js"},
		{`{"main": "a"}`, "a.js a", "a.js"},
		{`{}`, "index.js", "index.js"},
		{`{"main": "gone.js"}`, "index.js", "index.js"},
		{`{"module": "m.mjs"}`, "m.mjs", "m.mjs"},
		{`{"main": "", "types": "index.d.ts"}`, "index.d.ts", ""},
		{`{"main": "../../x.js"}`, "../../x.js", ""},
		{`{"main": false}`, "index.js", "index.js"},
		{`{"main": "a.node"}`, "a.node", ""},
	} {
		m, err := parseManifest([]byte(test.manifest))
		if err != nil {
			t.Fatal(err)
		}
		files := strings.Fields(test.files)
		if got := m.byFile("", likeNode, func(name string) bool { return slices.Contains(files, name) }); got != test.want {
			t.Errorf("%s with %q: got %q, want %q", test.manifest, files, got, test.want)
		}
	}
}

// sparse is an archive of one file with a hole of a terabyte, which archive/tar reads and
// does not write.
func sparse(t *testing.T) []byte {
	t.Helper()
	var plain, out bytes.Buffer
	w := tar.NewWriter(&plain)
	header := &tar.Header{
		Typeflag: tar.TypeReg, Name: "package/a.js", Mode: 0o644, Size: 1, Format: tar.FormatPAX,
		PAXRecords: map[string]string{"XXX.sparse.size": "1099511627776", "XXX.sparse.numblocks": "1", "XXX.sparse.map": "0,1"},
	}
	err := w.WriteHeader(header)
	if err == nil {
		_, err = w.Write([]byte("1"))
	}
	zipped := gzip.NewWriter(&out)
	if err = errors.Join(err, w.Close()); err == nil {
		_, err = zipped.Write(bytes.ReplaceAll(plain.Bytes(), []byte("XXX.sparse."), []byte("GNU.sparse.")))
	}
	if err = errors.Join(err, zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestHostileArchives(t *testing.T) {
	file := func(name string) *tar.Header { return &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644} }
	for _, test := range []struct {
		name    string
		archive []byte
		want    string
	}{
		{"good", archivedAs(t, nil, file("package/a.js"), file("other/b.js"), &tar.Header{Typeflag: tar.TypeDir, Name: "package/"}), ""},
		{"a path that climbs", archivedAs(t, nil, file("package/../../a.js")), "no path"},
		{"an absolute path", archivedAs(t, nil, file("/etc/a.js/../../b.js")), "no path"},
		{"a path of Windows", archivedAs(t, nil, file(`package/..\a.js`)), "no path"},
		{"no directory of its own", archivedAs(t, nil, file("a.js")), "no path"},
		{"a symbolic link", archivedAs(t, nil, &tar.Header{Typeflag: tar.TypeSymlink, Name: "package/a.js", Linkname: "/etc/passwd"}), "not a regular file"},
		{"a hard link", archivedAs(t, nil, &tar.Header{Typeflag: tar.TypeLink, Name: "package/a.js", Linkname: "/etc/passwd"}), "not a regular file"},
		{"a device", archivedAs(t, nil, &tar.Header{Typeflag: tar.TypeChar, Name: "package/a.js"}), "not a regular file"},
		{"a file twice", archivedAs(t, nil, file("package/a.js"), file("other/a.js")), "is there twice"},
		{"a file in two cases", archivedAs(t, nil, file("package/a.js"), file("package/A.js")), "is there twice"},
		{"a native module", archivedAs(t, nil, file("package/build/Release/x.NODE")), "native code"},
		{"prebuilt native code", archivedAs(t, nil, file("package/prebuilds/linux-x64/readme")), "native code"},
		{"a recipe for native code", archivedAs(t, nil, file("package/binding.gyp")), "native code"},
		{"a hole of a terabyte", sparse(t), "sparse file"},
		{"no archive", []byte("text"), "damaged"},
		{"half an archive", archived(t, map[string]string{"a.js": strings.Repeat("x", 9000)})[:60], "damaged"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			archive := filepath.Join(dir, "x.tgz")
			if err := os.WriteFile(archive, test.archive, 0o600); err != nil {
				t.Fatal(err)
			}
			into := filepath.Join(dir, "into")
			if err := os.Mkdir(into, 0o700); err != nil {
				t.Fatal(err)
			}
			u, err := newNPMUnpacker(into)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = u.root.Close() }()
			err = u.unpack(archive, "node_modules/a")
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
				t.Errorf("beside the directory there is %v, %v", entries, err)
			}
		})
	}
}

func TestArchivesAreBounded(t *testing.T) {
	dir := t.TempDir()
	archive := filepath.Join(dir, "x.tgz")
	if err := os.WriteFile(archive, archived(t, map[string]string{"a.txt": strings.Repeat("x", 1<<20), "b.js": "long"}), 0o600); err != nil {
		t.Fatal(err)
	}
	u, err := newNPMUnpacker(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = u.root.Close() }()
	u.left = 1 << 19
	if err := u.unpack(archive, "a"); err == nil || !strings.Contains(err.Error(), "unpacks to more") {
		t.Errorf("too many bytes: %v", err)
	}
	u.left, u.members = 1<<30, 1
	if err := u.unpack(archive, "b"); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "too many files") {
		t.Errorf("too many files: %v", err)
	}
	u.members, u.room = 2, 3
	if err := u.unpack(archive, "c"); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "unpacks to more") {
		t.Errorf("too many bytes written: %v", err)
	}
	if info, err := os.Stat(filepath.Join(dir, "c", "b.js")); err != nil || info.Size() > 4 {
		t.Errorf("written was %v, %v", info, err)
	}
}

// bench is a store of packages with a fake npm, and a fake bundler that copies.
type bench struct {
	*NPMStore
	t        *testing.T
	archives string
	runs     int
	output   func(name string) string // what is made of an entry
	external string                   // what every output imports
	failing  map[string]string        // what cannot be imported
}

func newBench(t *testing.T, catalogue ...NPMPackage) *bench {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, "npm")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	b := &bench{t: t, archives: t.TempDir(), output: func(name string) string { return "made of " + name }}
	t.Setenv("PATH", bin)
	t.Setenv(fakeArchives, b.archives)
	b.NPMStore = OpenNPM(filepath.Join(t.TempDir(), "store"), &NPMLock{Packages: catalogue}, b.bundle,
		func(context.Context, string, []string) (map[string]string, error) { return b.failing, nil })
	return b
}

// has puts an archive where npm finds it, and returns how it is pinned.
func (b *bench) has(name, version string, files map[string]string) NPMDependency {
	b.t.Helper()
	if files["package.json"] == "" {
		files["package.json"] = `{"main": "index.js"}`
	}
	data := archived(b.t, files)
	if err := os.WriteFile(filepath.Join(b.archives, strings.ReplaceAll(name, "/", "%")+"@"+version), data, 0o600); err != nil {
		b.t.Fatal(err)
	}
	return NPMDependency{Name: name, Version: version, Integrity: integrityOf(data)}
}

func (b *bench) bundle(_ context.Context, dir string, args []string) (string, bool, error) {
	b.runs++
	var out, meta, ext string
	entries := map[string]string{}
	for _, arg := range args {
		switch key, value, _ := strings.Cut(arg, "="); {
		case key == "--outdir":
			out = value
		case key == "--metafile":
			meta = value
		case strings.HasPrefix(key, "--out-extension"):
			ext = strings.TrimPrefix(value, ".js=")
		case !strings.HasPrefix(key, "--"):
			entries[key] = value
		}
	}
	if err := os.Mkdir(filepath.Join(dir, out), 0o700); err != nil {
		return "", false, err
	}
	outputs := map[string]any{}
	for name, file := range entries {
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			return "", false, err
		}
		if err := os.WriteFile(filepath.Join(dir, out, name+ext), []byte(b.output(name)), 0o600); err != nil {
			return "", false, err
		}
		outputs[out+"/"+name+ext] = map[string]any{"imports": []map[string]any{{"path": b.external, "external": true}}}
	}
	data, err := json.Marshal(map[string]any{"inputs": map[string]any{}, "outputs": outputs})
	if err != nil {
		return "", false, err
	}
	return "", true, os.WriteFile(filepath.Join(dir, meta), data, 0o600)
}

// pinned is a package of a catalogue.
func pinned(d NPMDependency, needs ...NPMDependency) NPMPackage {
	return NPMPackage{Name: d.Name, Version: d.Version, Integrity: d.Integrity, Bundled: needs}
}

func TestNPMStore(t *testing.T) {
	b := newBench(t)
	// npm gives the archives of these two the same name.
	one := b.has("@a/b", "1.0.0", map[string]string{"index.js": "1"})
	two := b.has("a-b", "1.0.0", map[string]string{"index.js": "2"})
	b.catalogue = &NPMLock{Packages: []NPMPackage{pinned(one, two), pinned(two)}}
	ctx := t.Context()
	added, err := b.Add(ctx, []string{"a-b", "@a/b@1"})
	if err != nil {
		t.Fatal(err)
	}
	if len(added) != 2 || added[0].Name != "@a/b" || added[0].Bundle == "" {
		t.Errorf("added %+v", added)
	}
	runs := b.runs
	if _, err := b.Add(ctx, []string{"a-b"}); err != nil || b.runs != runs {
		t.Errorf("adding again: %v, %d runs of esbuild", err, b.runs-runs)
	}
	if _, err := b.Add(ctx, []string{"a-b", "a-b@1.0.0"}); !errors.Is(err, ErrInvalid) {
		t.Errorf("twice at once: %v", err)
	}
	tree, hold, err := b.Tree(added)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hold.Close() }()
	if data, err := os.ReadFile(filepath.Join(tree, "@a", "b", "index.cjs")); err != nil || string(data) != "made of index" {
		t.Errorf("in the tree: %q, %v", data, err)
	}
	if again, _, err := b.Tree(added); err != nil || again != tree {
		t.Errorf("the tree again: %s, %v", again, err)
	}

	// A damaged bundle is no tree, and is made again.
	if err := os.WriteFile(filepath.Join(b.bundlePath(&added[1]), "index.cjs"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Tree(added[1:]); !errors.Is(err, ErrDigest) {
		t.Errorf("a tree of a damaged bundle: %v", err)
	}
	if _, err := b.Add(ctx, []string{"a-b"}); err != nil || b.Verify(&added[1]) != nil {
		t.Errorf("adding a damaged one: %v", err)
	}

	// The catalogue's next version comes by update, and nothing else does.
	next := b.has("a-b", "2.0.0", map[string]string{"index.js": "3"})
	b.catalogue.Packages[1] = pinned(next)
	changed, err := b.Update(ctx)
	if err != nil || len(changed) != 1 || changed[0].Version != "2.0.0" {
		t.Errorf("update: %+v, %v", changed, err)
	}
	if err := b.Remove([]string{"a-b"}); err != nil {
		t.Error(err)
	}
	if err := b.Remove([]string{"a-b"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("removing again: %v", err)
	}
	left, err := b.Installed()
	if err != nil || len(left.Packages) != 1 || left.Packages[0].Name != "@a/b" {
		t.Errorf("left are %+v, %v", left, err)
	}
	if entries, err := filepath.Glob(filepath.Join(b.dir, "tmp-*")); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %q, %v", entries, err)
	}
}

func TestManyAddAtOnce(t *testing.T) {
	b := newBench(t)
	names := []string{"a", "b", "c", "d"}
	for _, name := range names {
		b.catalogue.Packages = append(b.catalogue.Packages, pinned(b.has(name, "1.0.0", map[string]string{"index.js": ""})))
	}
	var all sync.WaitGroup
	for i := range 2 * len(names) {
		all.Go(func() {
			// Each as a process of its own has it: with a store that shares only the files.
			own := &bench{t: t, output: b.output}
			own.NPMStore = OpenNPM(b.dir, b.catalogue, own.bundle, b.trial)
			added, err := own.Add(t.Context(), names[i%len(names):][:1])
			if err != nil {
				t.Error(err)
				return
			}
			if _, hold, err := own.Tree(added); err != nil {
				t.Error(err)
			} else {
				_ = hold.Close()
			}
		})
	}
	all.Wait()
	l, err := b.Installed()
	if err != nil || len(l.Packages) != len(names) {
		t.Fatalf("installed are %+v, %v", l, err)
	}
	for i := range l.Packages {
		if err := b.Check(t.Context(), &l.Packages[i]); err != nil {
			t.Error(err)
		}
	}
}

func TestNothingChangesWhenOnePackageFails(t *testing.T) {
	b := newBench(t)
	good := b.has("good", "1.0.0", map[string]string{"index.js": ""})
	other := b.has("other", "1.0.0", map[string]string{"index.js": ""})
	other.Integrity = someIntegrity
	b.catalogue = &NPMLock{Packages: []NPMPackage{pinned(good), pinned(other)}}
	if _, err := b.Add(t.Context(), []string{"good", "other"}); !errors.Is(err, ErrDigest) {
		t.Errorf("an archive that is another: %v", err)
	}
	if l, err := b.Installed(); err != nil || len(l.Packages) > 0 {
		t.Errorf("installed are %+v, %v", l, err)
	}
}

func TestWhatNPMPackagesAreRefusedFor(t *testing.T) {
	for _, test := range []struct {
		name, spec string
		files      map[string]string
		external   string
		output     func(string) string
		want       string
	}{
		{"a huge bundle", "a", map[string]string{"index.js": ""}, "", func(string) string { return strings.Repeat("x", maxBundle+1) }, "is too large"},
		{"a module that the sandbox lacks", "a", map[string]string{"index.js": ""}, "node:child_process", nil, `"child_process" (a sandbox has no processes`},
		{"no script", "a", map[string]string{"style.css": ""}, "", nil, "no JavaScript"},
		{"scripts of its own", "a", map[string]string{"index.js": "", "package.json": `{"scripts": {"preinstall": "x"}}`}, "", nil, "runs code of its own"},
		{"native code", "a", map[string]string{"index.js": "", "package.json": `{"gypfile": true}`}, "", nil, "runs code of its own"},
		{"no package.json", "a", map[string]string{"index.js": "", "package.json": `{`}, "", nil, "package.json"},
		{"a built-in module", "fs", nil, "", nil, "the sandbox's own module"},
		{"a module of the sandbox's own", "sandbox-utils@1", nil, "", nil, "the sandbox's own module"},
		{"a known native one", "better-sqlite3@1", nil, "", nil, "use instead: JSON or CSV files"},
		{"one without a version", "unheard-of", nil, "", nil, "unheard-of@VERSION"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			b.external = test.external
			if test.output != nil {
				b.output = test.output
			}
			if test.files != nil {
				b.catalogue = &NPMLock{Packages: []NPMPackage{pinned(b.has("a", "1.0.0", test.files))}}
			}
			_, err := b.Add(t.Context(), []string{test.spec})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if l, err := b.Installed(); err != nil || len(l.Packages) > 0 {
				t.Errorf("installed are %+v, %v", l, err)
			}
		})
	}
}

func TestABrowsersFilesAreUsedWhereNodesNeedWhatIsLacking(t *testing.T) {
	b := newBench(t)
	d := b.has("a", "1.0.0", map[string]string{
		"package.json": `{"exports": {"browser": "./browser.mjs", "default": "./node.mjs"}}`, "browser.mjs": "", "node.mjs": "",
	})
	b.catalogue = &NPMLock{Packages: []NPMPackage{pinned(d)}}
	b.bundler = func(ctx context.Context, dir string, args []string) (string, bool, error) {
		b.external = "net"
		if slices.Contains(args, "--platform=browser") && slices.Contains(args, "index=./node_modules/a/browser.mjs") {
			b.external = "fs"
		}
		return b.bundle(ctx, dir, args)
	}
	if _, err := b.Add(t.Context(), []string{"a"}); err != nil {
		t.Error(err)
	}
}

func TestPackagesAreTriedBeforeTheyAreInstalled(t *testing.T) {
	b := newBench(t)
	d := b.has("a", "1.0.0", map[string]string{
		"package.json": `{"exports": {".": "./index.js", "./good": "./index.js", "./bad": "./index.js"}}`, "index.js": "",
	})
	lock := `{"lockfileVersion": 3, "packages": {"node_modules/a": {"version": "1.0.0", "integrity": "` + d.Integrity + `"}}}`
	if err := os.WriteFile(filepath.Join(b.archives, "package-lock.json"), []byte(lock), 0o600); err != nil {
		t.Fatal(err)
	}
	b.failing = map[string]string{"a": "no such\x1b thing"}
	if _, err := b.Add(t.Context(), []string{"a@1"}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), `cannot be imported as "a" in the sandbox: no such thing`) {
		t.Errorf("one that fails: %v", err)
	}
	b.failing = map[string]string{"a/bad": "no such thing"}
	added, err := b.Add(t.Context(), []string{"a@1"})
	if err != nil || len(added) != 1 || !slices.Equal(added[0].Subpaths, []string{"good"}) {
		t.Errorf("one with a subpath that fails: %+v, %v", added, err)
	}
	if err := b.Check(t.Context(), &added[0]); err != nil {
		t.Error(err)
	}
	b.failing = map[string]string{"a/good": "later"}
	if err := b.Check(t.Context(), &added[0]); !errors.Is(err, ErrInvalid) {
		t.Errorf("check of one that fails: %v", err)
	}
}

func TestAddWithoutNPM(t *testing.T) {
	b := newBench(t)
	b.catalogue = &NPMLock{Packages: []NPMPackage{pinned(b.has("a", "1.0.0", map[string]string{"index.js": ""}))}}
	t.Setenv("PATH", t.TempDir())
	if _, err := b.Add(t.Context(), []string{"a"}); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "npm was not found on PATH") {
		t.Errorf("got %v", err)
	}
}

func FuzzNPMSpec(f *testing.F) {
	f.Add("@a/b@^1.2.3")
	f.Fuzz(func(t *testing.T, spec string) {
		name, version, err := parseNPMSpec(spec)
		if err == nil && (!isNPMName(name) || strings.ContainsAny(name+version, " :\\") || strings.HasPrefix(name, "-") || !filepath.IsLocal(name)) {
			t.Errorf("%q gives %q and %q", spec, name, version)
		}
	})
}

func FuzzPackageLock(f *testing.F) {
	f.Add([]byte(`{"lockfileVersion": 3, "packages": {"node_modules/a": {"version": "1.0.0", "integrity": "` + someIntegrity + `"}, "node_modules/a/node_modules/b": {"version": "1.0.0"}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := readPackageLock("a", data)
		if err != nil {
			return
		}
		for _, d := range p.Bundled {
			if place := d.place(); !filepath.IsLocal(place) || !strings.HasPrefix(place, "node_modules/") || strings.Contains(place, "..") {
				t.Errorf("a package at %q", place)
			}
		}
	})
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"exports": {".": {"import": ["./a.mjs"]}, "./*": "./lib/*.js"}, "main": "x"}`), "locale/de")
	f.Fuzz(func(t *testing.T, data []byte, subpath string) {
		m, err := parseManifest(data)
		if err != nil {
			return
		}
		all := func(string) bool { return true }
		for _, c := range []conditions{likeNode, likeBrowser} {
			entries, err := m.entries(c, nil, maxAutomatic, all)
			if err != nil {
				continue
			}
			for _, e := range entries {
				for _, file := range []string{e.imports, e.require} {
					if file != "" && (!filepath.IsLocal(file) || !isScript(file)) {
						t.Errorf("%q is %q", e.subpath, file)
					}
				}
				if e.subpath != "" && !isSubpath(e.subpath) {
					t.Errorf("a subpath %q", e.subpath)
				}
			}
		}
		if m.exports != nil {
			if file := m.exported(subpath, likeNode.imports, all); file != "" && !filepath.IsLocal(file) {
				t.Errorf("%q is %q", subpath, file)
			}
		}
	})
}

func FuzzNPMArchive(f *testing.F) {
	f.Add(archived(f, map[string]string{"a.js": "x", "package.json": "{}"}))
	f.Add(archivedAs(f, nil, &tar.Header{Typeflag: tar.TypeReg, Name: "package/../../a.js"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		archive := filepath.Join(dir, "x.tgz")
		into := filepath.Join(dir, "into")
		if err := errors.Join(os.WriteFile(archive, data, 0o600), os.Mkdir(into, 0o700)); err != nil {
			t.Fatal(err)
		}
		u, err := newNPMUnpacker(into)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = u.root.Close() }()
		u.left, u.members = 1<<20, 100
		_ = u.unpack(archive, "node_modules/a") // it may be refused
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
			t.Errorf("beside the directory there is %v, %v", entries, err)
		}
	})
}

func FuzzParseNPMLock(f *testing.F) {
	f.Add([]byte("[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsummary = \"\"\nintegrity = \"" + someIntegrity + "\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := ParseNPMLock("x", data)
		if err != nil {
			return
		}
		again, err := l.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseNPMLock("x", again); err != nil {
			t.Errorf("what was written is not read: %v\n%s", err, again)
		}
	})
}
