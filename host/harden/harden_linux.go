package harden

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// applied is set by the first Apply. What reaches all threads of a process that uses
// cgo looks for them in /proc, and would look for ever a second time.
var applied atomic.Bool

// Apply gives up all but what o names, for every thread of the process and for good.
// It does so once: a second call is an error and changes nothing.
//
// A layer that this kernel lacks is left out, and the report says why; that is for
// the caller to judge. An error means that a layer could not be put in place although
// it is there: then the process may hold some of the layers and should end.
//
// It takes about a millisecond.
func Apply(o Options) (Report, error) {
	if !applied.CompareAndSwap(false, true) {
		return nil, errors.New("harden the process: it was hardened before")
	}
	r := Available()
	steps := map[string]func(Options) error{
		NoNewPrivs: func(Options) error { return forbidPrivileges(r) },
		Limits:     func(Options) error { return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) },
		Landlock:   restrictAccess,
		Seccomp:    refuseCalls,
	}
	for i, l := range r {
		if !l.Active {
			continue
		}
		if err := steps[l.Name](o); err != nil {
			r[i].Active, r[i].Detail = false, err.Error()
			return r, fmt.Errorf("harden the process: %s: %w", l.Name, err)
		}
	}
	return r, nil
}

// Available reports which layers this machine could give this process, without
// giving up anything.
func Available() Report {
	return Report{ // in the order in which they are put in place
		layer(NoNewPrivs, "no set-user-id program gives privileges", noNewPrivs()),
		layer(Limits, "no core dumps", nil),
		layer(Landlock, accessDetail(), accessible()),
		layer(Seccomp, "no other programs, processes, privileges or kernel interfaces", filterable()),
	}
}

// layer is active unless err says why it is not.
func layer(name, detail string, err error) Layer {
	if err != nil {
		return Layer{Name: name, Detail: err.Error()}
	}
	return Layer{Name: name, Active: true, Detail: detail}
}

func noNewPrivs() error {
	if _, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("the kernel refuses it: %w", err)
	}
	return nil
}

// forbidPrivileges sets no_new_privs for all threads. Where Landlock follows, which
// needs it and sets it as well, it would only interrupt every thread once more.
func forbidPrivileges(r Report) error {
	if slices.ContainsFunc(r, func(l Layer) bool { return l.Name == Landlock && l.Active }) {
		return nil
	}
	return ll.AllThreadsPrctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
}

// unavailable says why a kernel's interface cannot be used.
func unavailable(err error) error {
	switch {
	case errors.Is(err, unix.ENOSYS):
		return errors.New("the kernel does not have it")
	case errors.Is(err, unix.EOPNOTSUPP):
		return errors.New("it was not switched on when the kernel started")
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return errors.New("something around this process, such as a container, forbids it")
	}
	return err
}
