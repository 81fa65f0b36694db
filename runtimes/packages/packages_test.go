package packages

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandboxd/sandboxd/internal/owned"
)

// The test binary doubles as a fake pip that hands out the wheels in a directory.
const fakeWheels = "SANDBOXD_FAKE_PIP_WHEELS"

func TestMain(m *testing.M) {
	switch strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe") {
	case "pip3":
		os.Exit(fakePip(os.Args[1:]))
	case "npm":
		os.Exit(fakeNPM(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// fakePip serves the wheels whose names start with the requirement's, and those that
// its file "deps" names.
func fakePip(args []string) int {
	end := slices.Index(args, "--")
	if end < 0 || args[0] != "download" || !slices.Contains(args[:end], "--only-binary=:all:") {
		fmt.Fprintln(os.Stderr, "asked for", args)
		return 2
	}
	var dest string
	for _, a := range args[:end] {
		if d, ok := strings.CutPrefix(a, "--dest="); ok {
			dest = d
		}
	}
	name, version, _ := strings.Cut(args[end+1], "==")
	found, err := filepath.Glob(filepath.Join(os.Getenv(fakeWheels), strings.ReplaceAll(name, "-", "_")+"-"+version+"-*.whl"))
	if err != nil || len(found) == 0 {
		fmt.Fprintf(os.Stderr, "ERROR: No matching distribution found for %s\n", args[end+1])
		return 1
	}
	if !slices.Contains(args[:end], "--no-deps") {
		more, _ := filepath.Glob(filepath.Join(os.Getenv(fakeWheels), "dep-*.whl"))
		found = append(found, more...)
	}
	for _, path := range found {
		data, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(filepath.Join(dest, filepath.Base(path)), data, 0o600)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 3
		}
	}
	return 0
}

// servePip puts the fake pip on PATH and returns the directory of its wheels.
func servePip(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin, served := t.TempDir(), t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, "pip3")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	t.Setenv("PATH", bin)
	t.Setenv(fakeWheels, served)
	return served
}

// makeWheel writes a wheel with the given members, and metadata unless there is some.
func makeWheel(t *testing.T, dir, file string, members map[string]string) string {
	t.Helper()
	path := filepath.Join(dir, file)
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(out)
	for name, text := range members {
		header := &zip.FileHeader{Name: name, Method: zip.Deflate}
		if text == "LINK" {
			header.SetMode(fs.ModeSymlink | 0o777)
		}
		w, err := z.CreateHeader(header)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(z.Close(), out.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

const metadata = "Metadata-Version: 2.1\nName: Demo_Thing\nVersion: 1.0\nSummary: A demonstration\n" +
	"Requires-Dist: dep>=1\nRequires-Dist: other; extra == 'x'\n\nRequires-Dist: body\n"

func demoWheels(t *testing.T, dir string) {
	t.Helper()
	makeWheel(t, dir, "demo_thing-1.0-py3-none-any.whl", map[string]string{
		"demo/__init__.py": "x = 1\n", "demo_thing-1.0.dist-info/METADATA": metadata,
		"demo_thing-1.0.data/scripts/demo": "#!/bin/sh\n",
	})
	makeWheel(t, dir, "dep-2.0-py3-none-any.whl", map[string]string{
		"dep.py": "y = 2\n", "dep-2.0.dist-info/METADATA": "Name: dep\nVersion: 2.0\nSummary: Needed\n\n",
	})
}

func TestAPackageBesideTheCatalogueIsPinnedWithWhatItNeeds(t *testing.T) {
	served := servePip(t)
	demoWheels(t, served)
	s := Open(t.TempDir(), &Lock{}, "3.12")
	added, err := s.Add(context.Background(), []string{"Demo.Thing==1.0"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(added) != 2 || added[0].Name != "demo-thing" || !slices.Equal(added[0].Requires, []string{"dep"}) ||
		!slices.Equal(added[0].Imports, []string{"demo"}) || added[1].Name != "dep" {
		t.Fatalf("added %+v", added)
	}
	installed, err := s.Installed()
	if err != nil || len(installed.Packages) != 2 {
		t.Fatal(installed, err)
	}
	// What is installed works without pip.
	t.Setenv("PATH", "")
	prepared := 0
	for range 2 {
		tree, _, err := s.Tree(context.Background(), installed.Packages, "key", func(context.Context, string) error { prepared++; return nil })
		if err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(filepath.Join(tree, "demo", "__init__.py")); err != nil || string(text) != "x = 1\n" {
			t.Errorf("read %q, %v", text, err)
		}
		if _, err := os.Stat(filepath.Join(tree, "demo_thing-1.0.data")); err == nil {
			t.Error("scripts were unpacked")
		}
	}
	if prepared != 1 {
		t.Errorf("prepared %d times", prepared)
	}
	if err := s.Remove([]string{"dep"}); !errors.Is(err, ErrInvalid) {
		t.Errorf("removing what another needs: %v", err)
	}
	if err := s.Remove([]string{"dep", "demo-thing"}); err != nil {
		t.Error(err)
	}
}

func TestWhatCannotBeMadeReadyIsNotInstalled(t *testing.T) {
	demoWheels(t, servePip(t))
	s := Open(t.TempDir(), &Lock{}, "3.12")
	if _, err := s.Add(t.Context(), []string{"dep==2.0"}, nil); err != nil {
		t.Fatal(err)
	}
	var asked []string
	refuse := errors.New("not fit for each other")
	_, err := s.Add(t.Context(), []string{"demo-thing==1.0"}, func(_ context.Context, ps []Package) error {
		for _, p := range ps {
			asked = append(asked, p.Name)
		}
		return refuse
	})
	if !errors.Is(err, refuse) || !slices.Equal(asked, []string{"demo-thing", "dep"}) {
		t.Errorf("asked for %q, got %v", asked, err)
	}
	if l, err := s.Installed(); err != nil || len(l.Packages) != 1 || l.Packages[0].Name != "dep" {
		t.Errorf("installed are %+v, %v", l, err)
	}
}

func TestAWheelThatIsNotThePinnedOneIsRefused(t *testing.T) {
	demoWheels(t, servePip(t))
	catalogue := &Lock{Packages: []Package{{
		Name: "dep", Version: "2.0", Imports: []string{"dep"}, File: "dep-2.0-py3-none-any.whl", SHA256: strings.Repeat("0", 64),
	}}}
	s := Open(t.TempDir(), catalogue, "3.12")
	if _, err := s.Add(context.Background(), []string{"dep"}, nil); !errors.Is(err, ErrDigest) {
		t.Fatal(err)
	}
	if l, err := s.Installed(); err != nil || len(l.Packages) != 0 {
		t.Error("something was installed:", l, err)
	}
}

func TestADamagedWheelIsFoundAndFetchedAgain(t *testing.T) {
	demoWheels(t, servePip(t))
	s := Open(t.TempDir(), &Lock{}, "3.12")
	added, err := s.Add(context.Background(), []string{"dep==2.0"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &added[0]
	if err := os.WriteFile(s.wheelPath(p), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(p); !errors.Is(err, ErrDigest) {
		t.Error(err)
	}
	if _, err := s.wheel(context.Background(), p); err != nil || s.Verify(p) != nil {
		t.Error("not repaired:", err)
	}
}

func TestWithoutPipTheErrorSaysWhatToInstall(t *testing.T) {
	t.Setenv("PATH", "")
	_, err := Open(t.TempDir(), &Lock{}, "3.12").Add(context.Background(), []string{"dep==2.0"}, nil)
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "install Python") {
		t.Error(err)
	}
}

func TestNativeCodeIsRefusedWithAnAlternative(t *testing.T) {
	served := servePip(t)
	makeWheel(t, served, "fast-1.0-cp312-cp312-manylinux2014_x86_64.whl", map[string]string{
		"fast/__init__.py": "", "fast/core.so": "\x7fELF", "fast-1.0.dist-info/METADATA": "Name: fast\nVersion: 1.0\n\n",
	})
	s := Open(t.TempDir(), &Lock{}, "3.12")
	for spec, want := range map[string]string{"numpy": "statistics", "pandas==2.0": "sandbox_utils", "fast==1.0": "none-any.whl"} {
		_, err := s.Add(context.Background(), []string{spec}, nil)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", spec, err)
		}
	}
}

func TestHostileWheelsAreRefused(t *testing.T) {
	p := &Package{Name: "evil", File: "evil-1-py3-none-any.whl"}
	for name, members := range map[string]map[string]string{
		"a path upwards":       {"../evil.py": ""},
		"a path upwards later": {"a/../../evil.py": ""},
		"an absolute path":     {"/evil.py": ""},
		"a drive":              {"C:evil.py": ""},
		"a backslash":          {`a\..\..\evil.py`: ""},
		"a link":               {"link": "LINK"},
		"two cases":            {"evil.py": "", "EVIL.py": ""},
		"a deep path":          {strings.Repeat("a/", 40) + "x.py": ""},
		"a long path":          {strings.Repeat("a", 500) + ".py": ""},
		"native code":          {"evil.pyd": ""},
		"what is prepared":     {".sandboxd/.names": ""},
		"another case of it":   {".Sandboxd. /x.py": ""},
	} {
		t.Run(name, func(t *testing.T) {
			outer := t.TempDir()
			dir := filepath.Join(outer, "in")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			wheel := makeWheel(t, t.TempDir(), p.File, members)
			if err := unpack(wheel, p, dir); !errors.Is(err, ErrInvalid) {
				t.Error("want ErrInvalid, got", err)
			}
			if found, _ := os.ReadDir(outer); len(found) != 1 {
				t.Error("something was written outside:", found)
			}
		})
	}
}

func TestAPackageDoesNotReplaceAnothersFiles(t *testing.T) {
	dir, p := t.TempDir(), &Package{Name: "a", File: "a-1-py3-none-any.whl"}
	wheel := makeWheel(t, t.TempDir(), p.File, map[string]string{"jinja2/__init__.py": "evil"})
	if err := unpack(wheel, p, dir); err != nil {
		t.Fatal(err)
	}
	if err := unpack(wheel, p, dir); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

func TestAWheelThatUnpacksForEverIsStopped(t *testing.T) {
	dir, p := t.TempDir(), &Package{Name: "bomb", File: "bomb-1-py3-none-any.whl"}
	wheel := makeWheel(t, t.TempDir(), p.File, map[string]string{"bomb.py": strings.Repeat("#", 1001)})
	if err := unpackWithin(wheel, p, dir, 1000); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "MiB") {
		t.Error(err)
	}
}

func TestLockFilesAreReadStrictly(t *testing.T) {
	entry := "[[package]]\nname = \"a\"\nversion = \"1\"\nsummary = \"\"\nimports = [\"a\"]\nfile = \"a-1-py3-none-any.whl\"\nsha256 = \"" + strings.Repeat("0", 64) + "\"\n"
	if _, err := ParseLock("x", []byte(entry)); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"an unknown key":     entry + "colour = \"red\"\n",
		"a name twice":       entry + entry,
		"a missing package":  entry + "requires = [\"b\"]\n",
		"a name with a path": strings.Replace(entry, `"a"`, `"../a"`, 1),
		"an option":          strings.Replace(entry, `"1"`, `"--x"`, 1),
		"a short digest":     strings.Replace(entry, "0000", "", 1),
		"a file elsewhere":   strings.Replace(entry, "a-1-py3", "../a-1-py3", 1),
		"no TOML":            "[[",
	} {
		if _, err := ParseLock("x", []byte(text)); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheCatalogueIsALockFile(t *testing.T) {
	data, err := os.ReadFile("../python/packages.toml")
	if err != nil {
		t.Fatal(err)
	}
	l, err := ParseLock("packages.toml", data)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range l.Packages {
		if pure := strings.HasSuffix(p.File, "-none-any.whl"); pure == (p.Native == LeftOut) {
			t.Errorf("%s: native = %q and %s do not fit", p.Name, p.Native, p.File)
		}
	}
	if p, ok := l.Find("dateutil"); !ok || p.Name != "python-dateutil" {
		t.Error("a package is not found by its module:", p)
	}
	if ps, err := l.Closure([]string{"rich"}); err != nil || len(ps) != 4 {
		t.Error(ps, err)
	}
}

func FuzzParseLock(f *testing.F) {
	f.Add([]byte("[[package]]\nname = \"a\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := ParseLock("x", data)
		if err != nil {
			return
		}
		again, err := l.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseLock("x", again); err != nil {
			t.Errorf("what was written is not read: %v\n%s", err, again)
		}
	})
}

func TestTwoChangesAtOnceBothCount(t *testing.T) {
	if !owned.Locks {
		t.Skip("no locks here")
	}
	const writers, each = 4, 8
	name := func(w, i int) string { return fmt.Sprintf("p%d-%d", w, i) }
	wheels, bundles := t.TempDir(), t.TempDir()
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() { // as another process does
			python, npm := Open(wheels, &Lock{}, "3.12"), OpenNPM(bundles, &NPMLock{}, nil, nil)
			for i := range each {
				err := python.change(func(l *Lock) error {
					l.put([]Package{{
						Name: name(w, i), Version: "1", File: "p-1-py3-none-any.whl",
						SHA256: strings.Repeat("0", 64), Imports: []string{"p"},
					}})
					return nil
				})
				err = errors.Join(err, npm.change(func(l *NPMLock) error {
					l.put([]NPMPackage{{
						Name: name(w, i), Version: "1.0.0", Bundle: strings.Repeat("0", 64),
						Integrity: "sha512-" + strings.Repeat("A", 86) + "==",
					}})
					return nil
				}))
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	l, err := Open(wheels, &Lock{}, "3.12").Installed()
	if err != nil || len(l.Packages) != writers*each {
		t.Errorf("%d packages of Python are installed, want %d; %v", len(l.Packages), writers*each, err)
	}
	n, err := OpenNPM(bundles, &NPMLock{}, nil, nil).Installed()
	if err != nil || len(n.Packages) != writers*each {
		t.Errorf("%d packages of npm are installed, want %d; %v", len(n.Packages), writers*each, err)
	}
}

func TestTreesOfWhatIsGoneAreSwept(t *testing.T) {
	if !owned.Locks {
		t.Skip("nothing is swept here")
	}
	demoWheels(t, servePip(t))
	s := Open(t.TempDir(), &Lock{}, "3.12")
	if _, err := s.Add(t.Context(), []string{"demo-thing==1.0"}, nil); err != nil {
		t.Fatal(err)
	}
	l, err := s.Installed()
	if err != nil {
		t.Fatal(err)
	}
	tree := func(ps []Package, key string) (string, io.Closer) {
		t.Helper()
		dir, hold, err := s.Tree(t.Context(), ps, key, func(context.Context, string) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		return dir, hold
	}
	there := func(dir string) bool {
		_, err := os.Stat(dir)
		_, contentsErr := os.Stat(dir + contentsSuffix)
		if (err == nil) != (contentsErr == nil) {
			t.Errorf("of %s and its contents one is left: %v, %v", filepath.Base(dir), err, contentsErr)
		}
		return err == nil
	}
	dep, ok := l.Find("dep")
	if !ok {
		t.Fatalf("installed are %v", l.Packages)
	}
	all, holdAll := tree(l.Packages, "a")
	other, holdOther := tree(l.Packages, "b")
	part, holdPart := tree([]Package{dep}, "a")
	if again, hold := tree(l.Packages, "a"); again != all {
		t.Errorf("the same packages are in %s and in %s", all, again)
	} else {
		_ = hold.Close()
	}
	if err := errors.Join(holdAll.Close(), holdPart.Close()); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove([]string{"demo-thing"}); err != nil {
		t.Fatal(err)
	}
	if there(all) || !there(other) || !there(part) {
		t.Errorf("there are, of what is gone %v, of what is held %v, of what is installed %v; want false, true, true", there(all), there(other), there(part))
	}
	_ = holdOther.Close()
	if err := s.Remove([]string{"dep"}); err != nil {
		t.Fatal(err)
	}
	if there(other) || there(part) {
		t.Errorf("what nobody holds any more is still there")
	}
	if left, err := filepath.Glob(filepath.Join(s.dir, "tmp-*")); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

// A lock file that could not be read again would be the end of all that is installed.
func TestALockFileThatCouldNotBeReadIsNotWritten(t *testing.T) {
	sum := strings.Repeat("0", 64)
	s := Open(t.TempDir(), &Lock{}, "3.12")
	err := s.change(func(l *Lock) error {
		for i := range maxPackages + 1 {
			l.Packages = append(l.Packages, Package{Name: fmt.Sprint("p", i), Version: "1", Imports: []string{"p"}, File: "p-1-py3-none-any.whl", SHA256: sum})
		}
		return nil
	})
	if l, readErr := s.Installed(); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "above the maximum") || readErr != nil || len(l.Packages) > 0 {
		t.Errorf("too many packages: %v, then %v, %v", err, l, readErr)
	}
	n := OpenNPM(t.TempDir(), &NPMLock{}, nil, nil)
	fill := func(packages int) error {
		return n.change(func(l *NPMLock) error {
			for i := range packages {
				p := NPMPackage{Name: fmt.Sprint("p", i), Version: "1.0.0", Integrity: someIntegrity}
				for j := range maxBundled {
					p.Bundled = append(p.Bundled, NPMDependency{Name: fmt.Sprint("d", j), Version: "1.0.0", Integrity: someIntegrity})
				}
				l.put([]NPMPackage{p})
			}
			return nil
		})
	}
	if err := fill(30); err != nil {
		t.Errorf("more than a MiB for npm: %v", err)
	}
	err = fill(300)
	if l, readErr := n.Installed(); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "at most") || readErr != nil || len(l.Packages) != 30 {
		t.Errorf("too many bytes: %v, then %v, %v", err, l, readErr)
	}
}

func TestWhatIsTooLargeIsSaidToBe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.tgz")
	if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, maxWheel+1)); err != nil {
		t.Fatal(err)
	}
	const want = "large.tgz has more than 64 MiB"
	if _, err := digest(path); !errors.Is(err, ErrInvalid) || !strings.HasSuffix(err.Error(), want) {
		t.Error("a wheel:", err)
	}
	if _, err := integrity(path); !errors.Is(err, ErrInvalid) || !strings.HasSuffix(err.Error(), want) {
		t.Error("an archive of npm:", err)
	}
}

func TestWhatKilledProcessesLeftIsSwept(t *testing.T) {
	s := Open(t.TempDir(), &Lock{}, "3.12")
	fresh, err := s.temporary()
	if err != nil {
		t.Fatal(err)
	}
	old, err := s.temporary()
	if err != nil {
		t.Fatal(err)
	}
	beside := filepath.Join(s.dir, "wheels")
	past := time.Now().Add(-2 * abandonedAfter)
	err = errors.Join(os.WriteFile(filepath.Join(old, "part"), nil, 0o600), os.Mkdir(beside, 0o700),
		os.Chtimes(old, past, past), os.Chtimes(beside, past, past))
	if err == nil {
		err = s.change(func(*Lock) error { return nil })
	}
	if err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]bool{fresh: true, old: false, beside: true} {
		if _, err := os.Stat(dir); (err == nil) != want {
			t.Errorf("%s: %v, want there: %v", filepath.Base(dir), err, want)
		}
	}
}
