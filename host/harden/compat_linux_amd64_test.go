package harden

import (
	"bytes"
	"errors"
	"os/exec"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestOtherProcessorsCallsEndTheProcess makes a 32-bit call, whose numbers mean other
// things: 11 would be execve and not munmap.
func TestOtherProcessorsCallsEndTheProcess(t *testing.T) {
	require(t, Seccomp)
	s := stage(t)
	s.Soft = true
	if out, err := run(t, "TestPlayCompat", s); err != nil {
		t.Skipf("this kernel takes no 32-bit calls: %v\n%s", err, out)
	}
	s.Soft = false
	out, err := run(t, "TestPlayCompat", s)
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("%v\n%s", err, out)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); !ok || status.Signal() != unix.SIGSYS || bytes.Contains(out, []byte("survived")) {
		t.Errorf("%v, want it to end with SIGSYS\n%s", err, out)
	}
}

func TestPlayCompat(t *testing.T) {
	s := played(t)
	code, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	copy(code, []byte{
		0x53,                         // push rbx
		0xb8, 0x14, 0x00, 0x00, 0x00, // mov eax, 20 (getpid)
		0xcd, 0x80, // int 0x80
		0x5b, // pop rbx
		0xc3, // ret
	})
	s.apply(t)
	start := &code[0]
	call := unsafe.Pointer(&start) // a Go function value points to where its code's address is
	(*(*func())(unsafe.Pointer(&call)))()
	t.Log("survived")
}
