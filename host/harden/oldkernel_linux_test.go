package harden

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"testing"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"golang.org/x/sys/unix"
)

// TestOnAKernelWithoutLandlock: the other layers are kept, and the report says why it
// is not there.
func TestOnAKernelWithoutLandlock(t *testing.T) {
	require(t, Seccomp)
	play(t, "TestPlayWithoutLandlock", stage(t))
}

func TestPlayWithoutLandlock(t *testing.T) {
	s := played(t)
	err := seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: os.Getuid() != 0, // who is not root must
		Flag:       seccomp.FilterFlagTSync,
		Policy: seccomp.Policy{
			DefaultAction: seccomp.ActionAllow,
			Syscalls: []seccomp.SyscallGroup{{
				Names:  []string{"landlock_create_ruleset"},
				Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS),
			}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	begin, ended := make(chan struct{}), make(chan error)
	ready := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		close(ready)
		<-begin
		n, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
		if err == nil && n != 1 {
			err = errors.New("privileges can be gained")
		}
		ended <- err
	}()
	<-ready
	report, err := Apply(s.Options)
	if err != nil {
		t.Fatal(err)
	}
	close(begin)
	if err := <-ended; err != nil {
		t.Errorf("a thread from before: %v", err)
	}
	missing := report.Missing()
	if len(missing) != 1 || missing[0] != (Layer{Name: Landlock, Detail: "the kernel does not have it"}) {
		t.Errorf("missing: %v", missing)
	}
	if _, err := os.ReadFile(s.path("outside/file")); err != nil {
		t.Errorf("files are not covered: %v", err)
	}
	if err := exec.CommandContext(t.Context(), "/bin/true").Run(); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a program: %v", err)
	}
}
