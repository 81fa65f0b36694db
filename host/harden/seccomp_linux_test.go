package harden

import (
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/sys/unix"
)

// forking are calls that, were they not refused, would leave a test with two processes
// that believe they are it.
var forking = []string{"fork", "vfork"}

// TestEveryListedCallIsRefused makes each call that the lists name.
func TestEveryListedCallIsRefused(t *testing.T) {
	require(t, Seccomp)
	play(t, "TestPlayCalls", stage(t))
}

func TestPlayCalls(t *testing.T) {
	s := played(t)
	cpu, err := processor()
	if err != nil {
		t.Fatal(err)
	}
	s.apply(t)
	tried := 0
	for _, name := range known(cpu, refused(s.Options)) {
		if slices.Contains(forking, name) {
			continue
		}
		tried++
		if _, _, errno := syscall.RawSyscall6(uintptr(cpu.SyscallNames[name]), 0, 0, 0, 0, 0, 0); !errors.Is(errno, unix.EPERM) {
			t.Errorf("%s: %v", name, errno)
		}
	}
	if tried < 100 {
		t.Errorf("tried %d calls only", tried)
	}
}

// TestListedCallsExist finds misspelled names, which would refuse nothing.
func TestListedCallsExist(t *testing.T) {
	names := refused(Options{})
	for i, name := range names {
		_, onAMD64 := arch.X86_64.SyscallNames[name]
		_, onARM64 := arch.AARCH64.SyscallNames[name]
		if !onAMD64 && !onARM64 {
			t.Errorf("no processor has a call named %q", name)
		}
		if slices.Contains(names[:i], name) {
			t.Errorf("%q is listed twice", name)
		}
	}
}

// TestFiltersAssemble builds the filters of both processors, whichever this one is.
func TestFiltersAssemble(t *testing.T) {
	for _, cpu := range []*arch.Info{arch.X86_64, arch.AARCH64} {
		for name, o := range map[string]Options{
			"nothing": {}, "network": {Network: true}, "programs": {Execute: []string{"/bin"}},
		} {
			program, err := filter(cpu, o, 1234)
			if err != nil || len(program) < 100 {
				t.Errorf("%s, %s: %d instructions, %v", cpu.Name, name, len(program), err)
			}
		}
	}
}

// TestCallsInDisguise makes calls in ways that a list of names overlooks.
func TestCallsInDisguise(t *testing.T) {
	require(t, Seccomp)
	play(t, "TestPlayDisguise", stage(t))
}

func TestPlayDisguise(t *testing.T) {
	s := played(t)
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	s.apply(t)
	const x32, high = 0x40000000, 1 << 32
	pid, fd := uintptr(os.Getpid()), null.Fd()
	for _, c := range []struct {
		name    string
		number  uintptr
		args    [4]uintptr
		want    syscall.Errno
		justFor string
	}{
		{"a call newer than the list", newestCall + 1, [4]uintptr{}, unix.ENOSYS, ""},
		{"the number of no call", 1<<32 - 1, [4]uintptr{}, unix.ENOSYS, ""},
		{"getpid of x32", x32 + unix.SYS_GETPID, [4]uintptr{}, unix.ENOSYS, "amd64"},
		{"execve of x32", x32 + 520, [4]uintptr{}, unix.ENOSYS, "amd64"},
		{"clone3", unix.SYS_CLONE3, [4]uintptr{}, unix.ENOSYS, ""},
		{"typing into a terminal", unix.SYS_IOCTL, [4]uintptr{fd, unix.TIOCSTI}, unix.EPERM, ""},
		{"typing with bits that the kernel drops", unix.SYS_IOCTL, [4]uintptr{fd, unix.TIOCSTI + high}, unix.EPERM, ""},
		{"pasting into a console", unix.SYS_IOCTL, [4]uintptr{fd, tiocLinux}, unix.EPERM, ""},
		{"asking a terminal", unix.SYS_IOCTL, [4]uintptr{fd, unix.TCGETS}, unix.ENOTTY, ""},
		{"a thread in a new namespace", unix.SYS_CLONE, [4]uintptr{unix.CLONE_THREAD | unix.CLONE_NEWUSER}, unix.EPERM, ""},
		{"a signal to all", unix.SYS_KILL, [4]uintptr{^uintptr(0)}, unix.EPERM, ""},
		{"a signal to the group", unix.SYS_KILL, [4]uintptr{0}, unix.EPERM, ""},
		{"a signal with bits that the kernel drops", unix.SYS_KILL, [4]uintptr{uintptr(os.Getppid()) + high}, unix.EPERM, ""},
		{"a signal to itself", unix.SYS_KILL, [4]uintptr{pid}, 0, ""},
		{"the limits of another process", unix.SYS_PRLIMIT64, [4]uintptr{uintptr(os.Getppid())}, unix.EPERM, ""},
		{"its own limits", unix.SYS_PRLIMIT64, [4]uintptr{0, unix.RLIMIT_NOFILE}, 0, ""},
	} {
		if c.justFor != "" && c.justFor != runtime.GOARCH {
			continue
		}
		_, _, errno := syscall.RawSyscall6(c.number, c.args[0], c.args[1], c.args[2], c.args[3], 0, 0)
		if errno != c.want {
			t.Errorf("%s: %v, want %v", c.name, errno, c.want)
		}
	}
}

// TestReportsReadWell is about texts that people and programs see.
func TestReportsReadWell(t *testing.T) {
	report := Report{{"landlock", true, "files"}, {"seccomp", false, "the kernel does not have it"}}
	if got, want := report.String(), "landlock (files), seccomp (none: the kernel does not have it)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := report.Missing(); len(got) != 1 || got[0].Name != "seccomp" {
		t.Errorf("missing: %v", got)
	}
	var names []string
	for _, l := range Available() {
		names = append(names, l.Name)
		if l.Detail == "" {
			t.Errorf("%s says nothing", l.Name)
		}
	}
	if got, want := strings.Join(names, " "), "no_new_privs rlimits landlock seccomp"; got != want {
		t.Errorf("layers: %s, want %s", got, want)
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{unix.ENOSYS, "the kernel does not have it"},
		{unix.EOPNOTSUPP, "it was not switched on when the kernel started"},
		{unix.EPERM, "something around this process, such as a container, forbids it"},
		{unix.EFAULT, "bad address"},
	} {
		if got := unavailable(c.err); got == nil || got.Error() != c.want {
			t.Errorf("%v: %v, want %s", c.err, got, c.want)
		}
	}
}
