package harden

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// stage makes the directories of a scene and a listener of each kind outside.
func stage(t *testing.T) scene {
	t.Helper()
	s := scene{Dir: t.TempDir()}
	for _, dir := range []string{"data/one", "data/two", "shared", "outside", "scratch", "lies/here", "lies/there"} {
		if err := os.MkdirAll(filepath.Join(s.Dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"data/file", "shared/file", "outside/file"} {
		if err := os.WriteFile(filepath.Join(s.Dir, file), []byte("content"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.Socket = "@sandboxd-test-" + filepath.Base(filepath.Dir(s.Dir))
	for _, l := range []struct{ network, address string }{{"tcp4", "127.0.0.1:0"}, {"unix", s.Socket}} {
		var config net.ListenConfig
		listener, err := config.Listen(t.Context(), l.network, l.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = listener.Close() })
		if l.network == "tcp4" {
			s.TCP = listener.Addr().String()
		}
	}
	s.Options = Options{
		Read:      []string{filepath.Join(s.Dir, "shared"), filepath.Join(s.Dir, "missing")},
		Write:     []string{filepath.Join(s.Dir, "data")},
		Temporary: []string{filepath.Join(s.Dir, "lies", "here")},
	}
	return s
}

func (s scene) path(name string) string { return filepath.Join(s.Dir, filepath.FromSlash(name)) }

// attempt is something that code in the host's process might do.
type attempt struct {
	name string
	do   func() error
}

// sockets that a process has before it gives up making them.
type kept struct{ tcp, local int }

func keep(t *testing.T) kept {
	t.Helper()
	tcp, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	local, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	return kept{tcp, local}
}

// openAs opens by system calls of its own, as foreign code would.
func openAs(number uintptr, path string, flags int) error {
	name, err := unix.BytePtrFromString(path)
	if err != nil {
		return err
	}
	at := unix.AT_FDCWD
	var fd uintptr
	var errno syscall.Errno
	if number == unix.SYS_OPENAT2 {
		how := unix.OpenHow{Flags: uint64(flags)}
		fd, _, errno = syscall.RawSyscall6(number, uintptr(at), uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(&how)), unsafe.Sizeof(how), 0, 0)
	} else {
		fd, _, errno = syscall.RawSyscall6(number, uintptr(at), uintptr(unsafe.Pointer(name)), uintptr(flags), 0o600, 0, 0)
	}
	if errno != 0 {
		return errno
	}
	return unix.Close(int(fd))
}

// outside are attempts on files, which Landlock refuses. All succeed without it, in
// any order and again.
func (s scene) outside() []attempt {
	file, dir := s.path("outside/file"), s.path("outside")
	return []attempt{
		{"read a file", func() error { _, err := os.ReadFile(file); return err }},
		{"list a directory", func() error { _, err := os.ReadDir(dir); return err }},
		{"write a file", func() error { return os.WriteFile(file, []byte("changed"), 0o600) }},
		{"truncate a file", func() error { return os.Truncate(file, 0) }},
		{"make and remove a file", func() error {
			return errors.Join(os.WriteFile(s.path("outside/new"), nil, 0o600), os.Remove(s.path("outside/new")))
		}},
		{"make and remove a directory", func() error {
			return errors.Join(os.Mkdir(s.path("outside/d"), 0o700), os.Remove(s.path("outside/d")))
		}},
		{"move a file out and in", func() error {
			return errors.Join(os.Rename(s.path("data/file"), s.path("outside/f")), os.Rename(s.path("outside/f"), s.path("data/file")))
		}},
		{"move a file in and out", func() error {
			return errors.Join(os.Rename(file, s.path("data/f")), os.Rename(s.path("data/f"), file))
		}},
		{"link a file in", func() error { return errors.Join(os.Link(file, s.path("data/l")), os.Remove(s.path("data/l"))) }},
		{"write a file that may be read", func() error { return os.WriteFile(s.path("shared/file"), []byte("content"), 0o600) }},
		{"read by openat", func() error { return openAs(unix.SYS_OPENAT, file, unix.O_RDONLY) }},
		{"write by openat", func() error { return openAs(unix.SYS_OPENAT, file, unix.O_WRONLY) }},
		{"read by openat2", func() error { return openAs(unix.SYS_OPENAT2, file, unix.O_RDONLY) }},
		{"write by openat2", func() error { return openAs(unix.SYS_OPENAT2, file, unix.O_RDWR) }},
		{"read through a link inside", func() error { _, err := os.ReadFile(s.path("data/link")); return err }},
		{"read its own memory", func() error { return openAs(unix.SYS_OPENAT, "/proc/self/mem", unix.O_RDWR) }},
		{"read its environment", func() error { return openAs(unix.SYS_OPENAT, "/proc/self/environ", unix.O_RDONLY) }},
		{"read the passwords", func() error { return openAs(unix.SYS_OPENAT, "/etc/passwd", unix.O_RDONLY) }},
		{"open a device", func() error { return openAs(unix.SYS_OPENAT, "/dev/zero", unix.O_RDWR) }},
		{"remove a directory", func() error {
			return errors.Join(os.Remove(s.path("scratch")), os.Mkdir(s.path("scratch"), 0o700))
		}},
	}
}

// powers are attempts that the filter refuses. All succeed without it.
func (s scene) powers(ctx context.Context) []attempt {
	null := func(number uintptr, args ...uintptr) func() error {
		return func() error {
			var a [6]uintptr
			copy(a[:], args)
			if _, _, errno := syscall.RawSyscall6(number, a[0], a[1], a[2], a[3], a[4], a[5]); errno != 0 {
				return errno
			}
			return nil
		}
	}
	return []attempt{
		{"start a program", func() error { return exec.CommandContext(ctx, "/bin/true").Run() }},
		{"start a process", func() error {
			child, _, errno := syscall.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
			if errno != 0 {
				return errno
			}
			if child == 0 {
				for {
					_, _, _ = syscall.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
				}
			}
			_, err := unix.Wait4(int(child), nil, 0, nil)
			return err
		}},
		{"signal another process", func() error { return unix.Kill(os.Getppid(), 0) }},
		{"signal a thread of another process", func() error { return unix.Tgkill(os.Getppid(), os.Getppid(), 0) }},
		{"make a TCP socket", func() error { return socket(unix.AF_INET, unix.SOCK_STREAM) }},
		{"make a UDP socket", func() error { return socket(unix.AF_INET6, unix.SOCK_DGRAM) }},
		{"make a local socket", func() error { return socket(unix.AF_UNIX, unix.SOCK_STREAM) }},
		{"make a netlink socket", func() error { return socket(unix.AF_NETLINK, unix.SOCK_RAW) }},
		{"change a mode", func() error { return os.Chmod(s.path("outside/file"), 0o600) }},
		{"make a pipe of a name", func() error {
			return errors.Join(unix.Mkfifo(s.path("data/fifo"), 0o600), os.Remove(s.path("data/fifo")))
		}},
		{"become who it is", null(unix.SYS_SETUID, uintptr(os.Getuid()))},
		{"read its memory as another's", func() error {
			var from, to [1]byte
			_, err := unix.ProcessVMReadv(os.Getpid(), []unix.Iovec{{Base: &to[0], Len: 1}}, []unix.RemoteIovec{{Base: uintptr(unsafe.Pointer(&from)), Len: 1}}, 0)
			return err
		}},
	}
}

func socket(family, kind int) error {
	fd, err := unix.Socket(family, kind, 0)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// TestNothingOutsideIsReached runs every attempt on threads that were there before the
// process gave up its powers and on new ones.
func TestNothingOutsideIsReached(t *testing.T) {
	require(t, Landlock, Seccomp)
	play(t, "TestPlayOutside", stage(t))
}

// TestWithoutHardeningAllOfItWorks is the control: an attempt that fails anyway would
// prove nothing.
func TestWithoutHardeningAllOfItWorks(t *testing.T) {
	s := stage(t)
	s.Soft = true
	play(t, "TestPlayOutside", s)
}

func TestPlayOutside(t *testing.T) {
	s := played(t)
	if err := os.Symlink(s.path("outside/file"), s.path("data/link")); err != nil {
		t.Fatal(err)
	}
	attempts := append(s.outside(), s.powers(t.Context())...)
	const threads = 4
	var ready, finished sync.WaitGroup
	begin := make(chan struct{})
	var one sync.Mutex // several attempts undo what they did
	try := func(whose string) {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		ready.Done()
		<-begin
		for _, a := range attempts {
			one.Lock()
			err := a.do()
			one.Unlock()
			switch {
			case s.Soft && err != nil:
				t.Errorf("without hardening, %s: %v", a.name, err)
			case !s.Soft && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, unix.EXDEV):
				t.Errorf("%s: %s: %v", whose, a.name, err)
			}
		}
		if n, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); !s.Soft && (err != nil || n != 1) {
			t.Errorf("%s: no_new_privs: %d, %v", whose, n, err)
		}
		finished.Done()
	}
	ready.Add(threads)
	finished.Add(threads)
	for range threads {
		go try("a thread from before")
	}
	ready.Wait() // each has a thread of its own now
	s.apply(t)
	close(begin)
	finished.Wait()
	ready.Add(threads)
	finished.Add(threads)
	for range threads {
		go try("a new thread")
	}
	finished.Wait()
}

// TestWhatIsGrantedWorks does what a host does for its guests.
func TestWhatIsGrantedWorks(t *testing.T) {
	play(t, "TestPlayInside", stage(t))
}

func TestPlayInside(t *testing.T) {
	s := played(t)
	open, err := os.OpenFile(s.path("outside/file"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	s.apply(t)
	for _, a := range []attempt{
		{"read a file that may be read", func() error { _, err := os.ReadFile(s.path("shared/file")); return err }},
		{"list a directory that may be read", func() error { _, err := os.ReadDir(s.path("shared")); return err }},
		{"make a file", func() error { return os.WriteFile(s.path("data/one/new"), []byte("new"), 0o600) }},
		{"move it to another directory", func() error { return os.Rename(s.path("data/one/new"), s.path("data/two/new")) }},
		{"shorten it", func() error { return os.Truncate(s.path("data/two/new"), 1) }},
		{"date it", func() error { return os.Chtimes(s.path("data/two/new"), time.Time{}, time.Unix(0, 0)) }},
		{"link it", func() error { return os.Link(s.path("data/two/new"), s.path("data/one/same")) }},
		{"remove all of it", func() error { return errors.Join(os.RemoveAll(s.path("data/one")), os.RemoveAll(s.path("data/two"))) }},
		{"write to a file that was open", func() error { _, err := open.WriteAt([]byte("x"), 0); return err }},
		{"change the mode of a file that was open", func() error { return open.Chmod(0o640) }},
		{"make a temporary directory", func() error { return os.Mkdir(s.path("lies/here/workspace"), 0o700) }},
		{"remove the temporary ones", func() error {
			below, err := filepath.Glob(s.path("lies/here/*"))
			for _, dir := range below {
				err = errors.Join(err, os.RemoveAll(dir))
			}
			return errors.Join(err, os.RemoveAll(s.path("lies/here")))
		}},
		{"signal itself", func() error { return unix.Kill(os.Getpid(), 0) }},
		{"make code", func() error {
			code, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
			return errors.Join(err, unix.Mprotect(code, unix.PROT_READ|unix.PROT_EXEC))
		}},
		{"close a listener that was open", listener.Close},
	} {
		if err := a.do(); err != nil {
			t.Errorf("%s: %v", a.name, err)
		}
	}
	if _, err := os.ReadFile(s.path("nowhere/file")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what does not exist is not found: %v", err)
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil || limit.Max != 0 {
		t.Errorf("core dumps: %v, %v", limit, err)
	}
}

// TestApplyingAgain: what was given up stays given up, whatever is granted then.
func TestApplyingAgain(t *testing.T) {
	require(t, Landlock)
	play(t, "TestPlayAgain", stage(t))
}

func TestPlayAgain(t *testing.T) {
	s := played(t)
	s.apply(t)
	if _, err := Apply(Options{Read: []string{s.path("outside")}, Network: true}); err == nil {
		t.Error("a process can be hardened once")
	}
	for path, want := range map[string]error{"data/file": nil, "shared/file": nil, "outside/file": fs.ErrPermission} {
		if _, err := os.ReadFile(s.path(path)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
}

// TestConnections tries the network with sockets that were made before, which the
// filter cannot judge any more: there Landlock does.
func TestConnections(t *testing.T) {
	require(t, Landlock)
	version, err := accessVersion()
	if err != nil || version < 6 {
		t.Skip("this kernel's Landlock does not cover connections: ", version, err)
	}
	for name, change := range map[string]func(*scene){
		"none":    func(*scene) {},
		"network": func(s *scene) { s.Options.Network = true },
		"control": func(s *scene) { s.Soft = true },
	} {
		t.Run(name, func(t *testing.T) {
			s := stage(t)
			change(&s)
			play(t, "TestPlayConnections", s)
		})
	}
}

func TestPlayConnections(t *testing.T) {
	s := played(t)
	address, err := net.ResolveTCPAddr("tcp4", s.TCP)
	if err != nil {
		t.Fatal(err)
	}
	before := keep(t)
	s.apply(t)
	peer := &unix.SockaddrInet4{Port: address.Port, Addr: [4]byte{127, 0, 0, 1}}
	allowed := s.Soft || s.Options.Network
	if err := unix.Connect(before.tcp, peer); (err == nil) != allowed {
		t.Errorf("connect to %s: %v", s.TCP, err)
	}
	// Sockets without a file reach out of the process's domain only without Landlock.
	if err := unix.Connect(before.local, &unix.SockaddrUnix{Name: s.Socket}); (err == nil) != s.Soft {
		t.Errorf("connect to %s: %v", s.Socket, err)
	}
	var dialer net.Dialer
	connection, err := dialer.DialContext(t.Context(), "tcp4", s.TCP)
	if (err == nil) != allowed {
		t.Errorf("dial %s: %v", s.TCP, err)
	}
	if err == nil {
		_ = connection.Close()
	}
	if err := socket(unix.AF_NETLINK, unix.SOCK_RAW); (err == nil) != s.Soft {
		t.Errorf("a netlink socket: %v", err)
	}
}

// TestPrograms: where programs are granted, they run, and no others.
func TestPrograms(t *testing.T) {
	require(t, Landlock, Seccomp)
	program, err := exec.LookPath("true")
	if err != nil {
		t.Skip(err)
	}
	s := stage(t)
	s.Options.Execute = []string{filepath.Dir(program), "/lib", "/lib64", "/usr/lib"}
	s.Options.Read = append(s.Options.Read, "/etc/ld.so.cache")
	s.Options.Write = append(s.Options.Write, os.DevNull)
	s.TCP = program
	copied, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path("data/program"), copied, 0o700); err != nil {
		t.Fatal(err)
	}
	play(t, "TestPlayPrograms", s)
}

func TestPlayPrograms(t *testing.T) {
	s := played(t)
	s.apply(t)
	if err := exec.CommandContext(t.Context(), s.TCP).Run(); err != nil {
		t.Errorf("a program that may be executed: %v", err)
	}
	if err := exec.CommandContext(t.Context(), s.path("data/program")).Run(); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a program that may be written: %v", err)
	}
}

// TestPaths is about what a path of Options grants.
func TestPaths(t *testing.T) {
	require(t, Landlock)
	for _, test := range []struct {
		name    string
		options Options
		allowed []string // of "data/file", "shared/file", "outside/file" and "link/file"
	}{
		{"nothing", Options{}, nil},
		{"a missing directory", Options{Read: []string{"missing"}, Write: []string{"missing/below"}}, nil},
		{"a directory below a file", Options{Read: []string{"data/file/below"}}, nil},
		{"an empty path", Options{Read: []string{""}}, nil},
		{"a directory", Options{Read: []string{"data"}}, []string{"data/file"}},
		{"a writable directory", Options{Write: []string{"data"}}, []string{"data/file"}},
		{"a file", Options{Read: []string{"data/file"}}, []string{"data/file"}},
		{"a writable file", Options{Write: []string{"data/file"}}, []string{"data/file"}},
		{"a temporary directory", Options{Temporary: []string{"data"}}, []string{"data/file"}},
		{"a link to a directory", Options{Read: []string{"link"}}, []string{"outside/file", "link/file"}},
		{"a link to nothing", Options{Read: []string{"dangling"}}, nil},
		{"a directory above", Options{Read: []string{"."}}, []string{"data/file", "shared/file", "outside/file", "link/file"}},
		{"two directories", Options{Read: []string{"data", "shared"}}, []string{"data/file", "shared/file"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := stage(t)
			for link, target := range map[string]string{"link": "outside", "dangling": "nowhere"} {
				if err := os.Symlink(target, s.path(link)); err != nil {
					t.Fatal(err)
				}
			}
			for _, paths := range []*[]string{&test.options.Read, &test.options.Write, &test.options.Temporary} {
				for i, p := range *paths {
					if p != "" {
						(*paths)[i] = s.path(p)
					}
				}
			}
			s.Options = test.options
			s.Socket = fmt.Sprint(test.allowed)
			play(t, "TestPlayPaths", s)
		})
	}
}

func TestPlayPaths(t *testing.T) {
	s := played(t)
	s.apply(t)
	var allowed []string
	for _, file := range []string{"data/file", "shared/file", "outside/file", "link/file"} {
		if _, err := os.ReadFile(s.path(file)); err == nil {
			allowed = append(allowed, file)
		}
	}
	if got := fmt.Sprint(allowed); got != s.Socket {
		t.Errorf("could read %s, want %s", got, s.Socket)
	}
}
