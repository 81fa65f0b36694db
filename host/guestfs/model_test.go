package guestfs

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/tetratelabs/wazero/experimental/sys"
)

// tight are limits that random programs run into all the time.
var tight = Limits{MaxBytes: 200, MaxFiles: 10, MaxFileSize: 90, MaxDepth: 3, MaxOpen: 3}

// model is what a writable mount should hold, kept in memory.
type model struct {
	files   map[string]*object // by path below the mount
	held    [3]*object         // open descriptors
	before  map[string]bool    // regular files at the start
	touched map[string]bool    // paths whose content may have changed
}

type object struct {
	dir  bool
	data []byte
}

func (m *model) bytes() int64 {
	seen := map[*object]bool{}
	var sum int64
	for _, o := range append(slices.Collect(maps.Values(m.files)), m.held[:]...) {
		if o != nil && !seen[o] {
			seen[o] = true
			sum += int64(len(o.data))
		}
	}
	return sum
}

func (m *model) hasParent(p string) bool {
	dir := path.Dir(p)
	return dir == "." || m.files[dir] != nil && m.files[dir].dir
}

func (m *model) empty(dir string) bool {
	for p := range m.files {
		if strings.HasPrefix(p, dir+"/") {
			return false
		}
	}
	return true
}

// add makes an entry, if the limits and its parent allow.
func (m *model) add(p string, o *object) bool {
	if !m.hasParent(p) || strings.Count(p, "/")+1 > tight.MaxDepth || len(m.files) >= tight.MaxFiles {
		return false
	}
	m.files[p] = o
	if !o.dir {
		m.touched[p] = true
	}
	return true
}

// resize sets an object's size, if the limits allow.
func (m *model) resize(o *object, size int) bool {
	grow := int64(size - len(o.data))
	if grow > 0 && (int64(size) > tight.MaxFileSize || m.bytes()+grow > tight.MaxBytes) {
		return false
	}
	if grow > 0 {
		o.data = append(o.data, make([]byte, grow)...)
	} else {
		o.data = o.data[:size]
	}
	m.touch(o)
	return true
}

func (m *model) touch(o *object) {
	for p, other := range m.files {
		if o == other {
			m.touched[p] = true
		}
	}
}

func (m *model) write(o *object, data []byte, off int) bool {
	if end := off + len(data); end > len(o.data) && !m.resize(o, end) {
		return false
	}
	copy(o.data[off:], data)
	m.touch(o)
	return true
}

func (m *model) rename(from, to string) bool {
	o, old := m.files[from], m.files[to]
	switch {
	case o == nil || !m.hasParent(to) || strings.HasPrefix(to, from+"/"):
		return false
	case from == to:
		return true
	case old != nil && (old.dir != o.dir || old.dir && !m.empty(to)):
		return false
	}
	moved := map[string]*object{}
	for p, child := range m.files {
		if p == from || strings.HasPrefix(p, from+"/") {
			moved[to+p[len(from):]] = child
		}
	}
	for p := range moved {
		if strings.Count(to, "/") > strings.Count(from, "/") && strings.Count(p, "/")+1 > tight.MaxDepth {
			return false
		}
	}
	delete(m.files, to)
	for p, child := range moved {
		delete(m.files, from+p[len(to):])
		if !child.dir {
			m.touched[p] = true
		}
	}
	maps.Copy(m.files, moved)
	return true
}

func (m *model) changes() Changes {
	var c Changes
	for p, o := range m.files {
		switch {
		case o.dir:
		case !m.before[p]:
			c.Created = append(c.Created, "/app/"+p)
		case m.touched[p]:
			c.Modified = append(c.Modified, "/app/"+p)
		}
	}
	for p := range m.before {
		if o := m.files[p]; o == nil || o.dir {
			c.Deleted = append(c.Deleted, "/app/"+p)
		}
	}
	for _, list := range [][]string{c.Created, c.Modified, c.Deleted} {
		slices.Sort(list)
	}
	return c
}

// machine runs the same program on the model and on the real thing.
type machine struct {
	*world

	m    *model
	held [3]sys.File
	code []byte

	between func(step int) // called after each step; or nil
}

func newMachine(t *testing.T, code []byte) *machine {
	w := newWorld(t, tight)
	m := &model{files: map[string]*object{}, before: map[string]bool{}, touched: map[string]bool{}}
	for p, content := range map[string]string{"a": "first", "b/b": "second", "b/c": "third"} {
		if err := os.MkdirAll(filepath.Join(w.app, path.Dir(p)), 0o700); err != nil {
			t.Fatal(err)
		}
		w.write(filepath.Join(w.app, p), content)
		m.files[p], m.before[p] = &object{data: []byte(content)}, true
	}
	m.files["b"] = &object{dir: true}
	return &machine{world: w, m: m, code: code}
}

// next takes a number below n from the program.
func (c *machine) next(n int) int {
	if len(c.code) == 0 {
		return 0
	}
	b := c.code[0]
	c.code = c.code[1:]
	return int(b) % n
}

// path takes a path from the program: of three names, up to four deep.
func (c *machine) path() string {
	parts := make([]string, c.next(4)+1)
	for i := range parts {
		parts[i] = string(rune('a' + c.next(3)))
	}
	return path.Join(parts...)
}

func (c *machine) data() []byte {
	return slices.Repeat([]byte{byte('0' + c.next(10))}, c.next(60)+1)
}

// run executes the program and compares the outcome of every step.
func (c *machine) run() {
	for step := 0; len(c.code) > 0 && !c.t.Failed(); step++ {
		op, got, want := c.step()
		if got != want {
			c.t.Fatalf("step %d: %s: success is %v, want %v", step, op, got, want)
		}
		if want := (usage{bytes: c.m.bytes(), files: len(c.m.files)}); c.root.child("app").mount.measured && c.usage != want {
			c.t.Fatalf("step %d: %s: usage is %+v, want %+v", step, op, c.usage, want)
		}
		if c.between != nil {
			c.between(step)
		}
	}
	if diff := cmp.Diff(c.m.changes(), c.Journal(), cmpopts.EquateEmpty()); diff != "" {
		c.t.Errorf("journal (-want +got):\n%s", diff)
	}
	c.compareDisk()
	c.compareSummary()
	c.checkCanary()
}

// step runs one operation, and says what it was, whether it succeeded, and
// whether it should have.
func (c *machine) step() (op string, got, want bool) {
	switch c.next(17) {
	case 0:
		p, data := c.path(), c.data()
		return fmt.Sprintf("write %s %d", p, len(data)), c.writeFile(p, data), c.modelWriteFile(p, data)
	case 1:
		p := c.path()
		return "mkdir " + p, c.Mkdir("app/"+p, 0) == 0, c.m.files[p] == nil && c.m.add(p, &object{dir: true})
	case 2:
		p := c.path()
		o := c.m.files[p]
		want := o != nil && o.dir && c.m.empty(p)
		if want {
			delete(c.m.files, p)
		}
		return "rmdir " + p, c.Rmdir("app/"+p) == 0, want
	case 3:
		p := c.path()
		o := c.m.files[p]
		want := o != nil && !o.dir
		if want {
			delete(c.m.files, p)
		}
		return "unlink " + p, c.Unlink("app/"+p) == 0, want
	case 4, 5:
		from, to := c.path(), c.path()
		return "rename " + from + " " + to, c.Rename("app/"+from, "app/"+to) == 0, c.m.rename(from, to)
	case 6:
		p := c.path()
		o := c.m.files[p]
		content, errno := c.get("app/" + p)
		if o != nil && !o.dir && c.free() && content != string(o.data) {
			c.t.Fatalf("read %s gives %q, want %q", p, content, o.data)
		}
		return "read " + p, errno == 0, o != nil && !o.dir && c.free()
	case 7:
		return c.hold()
	case 8:
		slot, data, off := c.next(3), c.data(), c.next(120)
		if c.held[slot] == nil {
			return "", true, true
		}
		_, errno := c.held[slot].Pwrite(data, int64(off))
		return fmt.Sprintf("pwrite slot %d, %d at %d", slot, len(data), off), errno == 0, c.m.write(c.m.held[slot], data, off)
	case 9:
		slot, size := c.next(3), c.next(120)
		if c.held[slot] == nil {
			return "", true, true
		}
		return fmt.Sprintf("truncate slot %d to %d", slot, size), c.held[slot].Truncate(int64(size)) == 0, c.m.resize(c.m.held[slot], size)
	case 10:
		slot := c.next(3)
		if c.held[slot] != nil {
			c.held[slot].Close()
		}
		c.held[slot], c.m.held[slot] = nil, nil
		return fmt.Sprintf("close slot %d", slot), true, true
	default:
		return c.look()
	}
}

// look runs one of the operations that change no content but by adding to it.
func (c *machine) look() (op string, got, want bool) {
	p := c.path()
	o := c.m.files[p]
	isFile, isDir := o != nil && !o.dir, o != nil && o.dir
	switch c.next(6) {
	case 0:
		st, errno := c.Stat("app/" + p)
		if errno == 0 && o != nil && (st.Mode.IsDir() != o.dir || !o.dir && st.Size != int64(len(o.data))) {
			c.t.Fatalf("stat %s gives %+v", p, st)
		}
		_, linkErrno := c.Readlink("app/" + p)
		return "stat " + p, errno == 0 && linkErrno == sys.EINVAL, o != nil
	case 1:
		return "utimens " + p, c.Utimens("app/"+p, 1, 2) == 0, o != nil
	case 2:
		file, errno := c.OpenFile("app/"+p, sys.O_WRONLY|sys.O_CREAT|sys.O_EXCL, 0)
		if errno == 0 {
			file.Close()
		}
		return "create " + p, errno == 0, o == nil && c.free() && c.m.add(p, &object{})
	case 3:
		data := c.data()
		file, errno := c.OpenFile("app/"+p, sys.O_WRONLY|sys.O_APPEND, 0)
		if errno == 0 {
			_, errno = file.Write(data)
			file.Close()
		}
		return fmt.Sprintf("append %d to %s", len(data), p), errno == 0, isFile && c.free() && c.m.write(o, data, len(o.data))
	case 4:
		dir, errno := c.OpenFile("app/"+p, sys.O_DIRECTORY, 0)
		if errno == 0 {
			c.compareListing(p, dir)
			dir.Close()
		}
		return "list " + p, errno == 0, isDir && c.free()
	default:
		return c.readHeld()
	}
}

// compareListing checks that a directory lists what the model has in it.
func (c *machine) compareListing(p string, dir sys.File) {
	got, errno := dir.Readdir(-1)
	var want, names []string
	for other := range c.m.files {
		if path.Dir(other) == p {
			want = append(want, path.Base(other))
		}
	}
	slices.Sort(want)
	for _, e := range got {
		names = append(names, e.Name)
	}
	if errno != 0 || !slices.Equal(want, names) {
		c.t.Fatalf("listing %s gives %q, %v, want %q", p, names, errno, want)
	}
}

// readHeld reads a part of an open file by both ways there are.
func (c *machine) readHeld() (op string, got, want bool) {
	slot, off := c.next(3), c.next(120)
	if c.held[slot] == nil {
		return "", true, true
	}
	content := c.m.held[slot].data
	content = content[min(off, len(content)):]
	content = content[:min(20, len(content))]
	buf := make([]byte, 20)
	n, errno := c.held[slot].Pread(buf, int64(off))
	ok := errno == 0 && string(buf[:n]) == string(content)
	at, errno := c.held[slot].Seek(int64(off), io.SeekStart)
	ok = ok && errno == 0 && at == int64(off)
	n, errno = c.held[slot].Read(buf)
	return fmt.Sprintf("read slot %d at %d", slot, off), ok && errno == 0 && string(buf[:n]) == string(content), true
}

// free reports whether the model has a descriptor to spare.
func (c *machine) free() bool {
	return slices.Contains(c.m.held[:], nil)
}

func (c *machine) writeFile(p string, data []byte) bool {
	file, errno := c.OpenFile("app/"+p, sys.O_WRONLY|sys.O_CREAT|sys.O_TRUNC, 0)
	if errno != 0 {
		return false
	}
	defer file.Close()
	_, errno = file.Write(data)
	return errno == 0
}

func (c *machine) modelWriteFile(p string, data []byte) bool {
	o := c.m.files[p]
	if !c.free() || o != nil && o.dir {
		return false
	}
	if o == nil {
		o = &object{}
		if !c.m.add(p, o) {
			return false
		}
	}
	return c.m.resize(o, 0) && c.m.write(o, data, 0)
}

// hold opens an existing file and keeps it open.
func (c *machine) hold() (op string, got, want bool) {
	p, slot := c.path(), c.next(3)
	if c.held[slot] != nil {
		return "", true, true
	}
	file, errno := c.OpenFile("app/"+p, sys.O_RDWR, 0)
	o := c.m.files[p]
	want = o != nil && !o.dir
	if errno == 0 && want {
		c.held[slot], c.m.held[slot] = file, o
	}
	return "hold " + p, errno == 0, want
}

// compareSummary checks the content that the summary reports of what changed.
func (c *machine) compareSummary() {
	changes, want := c.m.changes(), Summary{}
	for _, p := range changes.Created {
		want.Created = append(want.Created, fileWith(p, string(c.m.files[p[len("/app/"):]].data)))
	}
	for _, p := range changes.Modified {
		want.Modified = append(want.Modified, fileWith(p, string(c.m.files[p[len("/app/"):]].data)))
	}
	want.Deleted = changes.Deleted
	if diff := cmp.Diff(want, c.Summary(c.t.Context(), allOfIt), cmpopts.EquateEmpty()); diff != "" {
		c.t.Errorf("summary (-want +got):\n%s", diff)
	}
}

// compareDisk checks that the host finds what the model says.
func (c *machine) compareDisk() {
	got, want := map[string]string{}, map[string]string{}
	for p, o := range c.m.files {
		want[p] = string(o.data)
		if o.dir {
			want[p] = "directory"
		}
	}
	root := os.DirFS(c.app)
	err := fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == "." {
			return err
		}
		if d.IsDir() {
			got[p] = "directory"
			return nil
		}
		data, err := fs.ReadFile(root, p)
		got[p] = string(data)
		return err
	})
	if err != nil {
		c.t.Error(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		c.t.Errorf("disk (-want +got):\n%s", diff)
	}
}

func TestRandomProgramsMatchTheModel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 150 {
		code := make([]byte, 600)
		for i := range code {
			code[i] = byte(random.Uint32())
		}
		t.Run(fmt.Sprint(i), func(t *testing.T) { newMachine(t, code).run() })
	}
}

func FuzzPrograms(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 9, 4, 0, 0, 1, 1, 2, 3, 0, 0})
	f.Add([]byte{7, 0, 0, 0, 3, 0, 0, 8, 0, 3, 40, 90, 10, 0})
	f.Fuzz(func(t *testing.T, code []byte) {
		newMachine(t, code[:min(len(code), 500)]).run()
	})
}

// FuzzPaths sends arbitrary paths to every call that takes one, in a world full
// of traps.
func FuzzPaths(f *testing.F) {
	for _, hostile := range hostilePaths {
		f.Add(hostile.path, "app/dir/new", uint32(sys.O_RDWR|sys.O_CREAT))
	}
	f.Add("app/dir/file", "app/dir/../x", uint32(sys.O_TRUNC))
	f.Fuzz(func(t *testing.T, one, two string, flag uint32) {
		w := hostileWorld(t)
		if file, errno := w.OpenFile(one, sys.Oflag(flag), 0o777); errno == 0 {
			buf := make([]byte, 64)
			if n, _ := file.Read(buf); string(buf[:n]) == canary {
				t.Errorf("open %q read the canary", one)
			}
			_, _ = file.Write([]byte("written"))
			_, _ = file.Readdir(10)
			_ = file.Truncate(3)
			_ = file.Utimens(0, 0)
			file.Close()
		}
		_, _ = w.Stat(one)
		_, _ = w.Lstat(one)
		if target, errno := w.Readlink(one); errno == 0 && strings.HasPrefix(target, "/") {
			t.Errorf("readlink %q gave the host path %q", one, target)
		}
		_ = w.Utimens(one, 0, 0)
		_ = w.Mkdir(one, 0)
		_ = w.Rename(one, two)
		_ = w.Link(one, two)
		_ = w.Symlink(one, two)
		_ = w.Unlink(two)
		_ = w.Rmdir(two)
		_ = w.Unlink(one)
		w.checkCanary()
	})
}
