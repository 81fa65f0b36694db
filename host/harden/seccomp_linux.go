package harden

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Where a filter finds what it judges, in struct seccomp_data. Of the second argument
// it is the half that the kernel looks at where it takes 32 bits.
const (
	numberOffset    = 0
	archOffset      = 4
	secondArgOffset = 24
	word            = 4
)

// newestCall is the last system call that the lists in calls_linux.go were held
// against. Numbers above it, which are the same on all processors, and those of other
// ways to make calls, such as x32, are answered as by a kernel that does not know them.
const newestCall = 467

// filterable says why no filter can be installed, if so.
func filterable() error {
	if _, err := processor(); err != nil {
		return err
	}
	// An impossible request: a kernel that has the call looks at it and says EINVAL.
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_STRICT, 1, 0)
	if !errors.Is(errno, unix.EINVAL) {
		return unavailable(errno)
	}
	return nil
}

// processor is what the library knows about this one.
func processor() (*arch.Info, error) {
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		return nil, errors.New("there is no filter for " + runtime.GOARCH + " processors")
	}
	return arch.GetInfo("")
}

// refuseCalls installs the filter for all threads.
func refuseCalls(o Options) error {
	cpu, err := processor()
	if err != nil {
		return err
	}
	program, err := filter(cpu, o, os.Getpid())
	if err != nil {
		return err
	}
	raw, err := bpf.Assemble(program)
	if err != nil {
		return err
	}
	code := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	// The library's own loader takes the number of a thread that cannot follow, which
	// the kernel returns in place of an error, for success.
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}))) //nolint:gosec // the call's argument; a filter is short
	switch {
	case errno != 0:
		return errno
	case thread != 0:
		return fmt.Errorf("thread %d has a filter of its own", thread)
	}
	return nil
}

// filter is the program that judges every system call of the process pid.
//
// The library's policies leave the default action to calls made in the manner of
// another processor, such as 32-bit ones, and a list of what is refused would not
// apply to them. They are judged first, by instructions of our own, and end the
// process: nothing that Go compiles makes them.
func filter(cpu *arch.Info, o Options, pid int) ([]bpf.Instruction, error) {
	policy := seccomp.Policy{
		DefaultAction: seccomp.ActionAllow,
		Syscalls: []seccomp.SyscallGroup{{
			Action:             seccomp.ActionErrno, // EPERM
			Names:              known(cpu, refused(o)),
			NamesWithCondtions: conditions(o, pid),
		}},
	}
	judged, err := policy.Assemble()
	if err != nil {
		return nil, err
	}
	const number, argument = word, word
	absent := bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)}
	first := []bpf.Instruction{
		bpf.LoadAbsolute{Off: archOffset, Size: word},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(cpu.ID), SkipTrue: 1},
		bpf.RetConstant{Val: unix.SECCOMP_RET_KILL_PROCESS},

		bpf.LoadAbsolute{Off: numberOffset, Size: number},
		bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: newestCall, SkipFalse: 1},
		absent,
		// It keeps its flags in memory, where no filter sees them. Whoever uses it
		// makes do with clone on kernels that lack it.
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_CLONE3, SkipFalse: 1},
		absent,

		// Typing into the terminal that we run on. The library compares all 64 bits
		// of an argument, of which the kernel uses 32 here.
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_IOCTL, SkipFalse: 4},
		bpf.LoadAbsolute{Off: secondArgOffset, Size: argument},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.TIOCSTI, SkipTrue: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: tiocLinux, SkipFalse: 1},
		bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
	}
	return append(first, judged...), nil
}

// tiocLinux can paste into a Linux console. See ioctl_console(2).
const tiocLinux = 0x541c

// known are the names that this processor has calls of.
func known(cpu *arch.Info, names []string) []string {
	var some []string
	for _, name := range names {
		if _, ok := cpu.SyscallNames[name]; ok {
			some = append(some, name)
		}
	}
	return some
}

// conditions are the calls that are refused with some arguments only.
func conditions(o Options, pid int) []seccomp.NameWithConditions {
	not := func(argument uint32, value int) seccomp.Condition {
		return seccomp.Condition{Argument: argument, Operation: seccomp.NotEqual, Value: uint64(value)} //nolint:gosec // small
	}
	refuse := func(name string, when ...seccomp.Condition) seccomp.NameWithConditions {
		return seccomp.NameWithConditions{Name: name, Conditions: when}
	}
	const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
		unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET
	list := []seccomp.NameWithConditions{
		refuse("clone", seccomp.Condition{Operation: seccomp.BitsSet, Value: namespaces}),
		refuse("prlimit64", not(0, 0), not(0, pid)),
	}
	if len(o.Execute) == 0 {
		list = append(list,
			refuse("clone", seccomp.Condition{Operation: seccomp.BitsNotSet, Value: unix.CLONE_THREAD}),
			refuse("kill", not(0, pid)),
			refuse("tgkill", not(0, pid)))
	}
	if o.Network {
		list = append(list, refuse("socket", not(0, unix.AF_UNIX), not(0, unix.AF_INET), not(0, unix.AF_INET6)))
	}
	return list
}
