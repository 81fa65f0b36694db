package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
)

func TestExitCode(t *testing.T) {
	interrupted, stop := context.WithCancelCause(t.Context())
	stop(&signalError{os.Interrupt})
	terminated, stop := context.WithCancelCause(t.Context())
	stop(&signalError{syscall.SIGTERM})
	tests := []struct {
		name string
		ctx  context.Context
		err  error
		want int
	}{
		{"no error is success", t.Context(), nil, 0},
		{"an error of ours is 125", t.Context(), errors.New("no such profile"), 125},
		{"a chosen code wins", t.Context(), fmt.Errorf("x: %w", &exitError{code: 7}), 7},
		{"an interrupt is 130", interrupted, fmt.Errorf("fetch: %w", context.Canceled), 130},
		{"a termination is 143", terminated, context.Canceled, 143},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := exitCode(tt.ctx, tt.err); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestGuestCode(t *testing.T) {
	tests := []struct {
		status host.Status
		code   int
		want   int
	}{
		{host.StatusOK, 0, 0},
		{host.StatusError, 3, 3},
		{host.StatusError, 124, 124},
		{host.StatusError, -1, 255},
		{host.StatusError, 256, 1},
		{host.StatusError, 0, 1},
		{host.StatusTimeout, 0, 124},
		{host.StatusOutOfFuel, 0, 137},
		{host.StatusOutOfMemory, 1, 137},
		{host.StatusDiskQuota, 1, 137},
		{host.StatusOutputLimit, 0, 137},
		{host.StatusCanceled, 0, 130},
		{host.StatusInternal, 0, 125},
		{"a status from the future", 0, 125},
	}
	for _, tt := range tests {
		if got := guestCode(t.Context(), &host.Result{Status: tt.status, ExitCode: tt.code}); got != tt.want {
			t.Errorf("%s with exit code %d: got %d, want %d", tt.status, tt.code, got, tt.want)
		}
	}
}

func TestNotes(t *testing.T) {
	timeout := policies.Duration(2e9)
	tests := []struct {
		name   string
		result host.Result
		change func(*outcome)
		want   []string
	}{
		{"success needs no note", host.Result{Status: host.StatusOK}, nil, nil},
		{"a failure speaks for itself", host.Result{Status: host.StatusError, ExitCode: 1}, nil, nil},
		{
			"an interpreter that broke off said nothing",
			host.Result{Status: host.StatusError, ExitCode: 134, Error: &host.GuestError{Type: "trap", Message: "unreachable"}},
			nil,
			[]string{"the interpreter broke off: unreachable"},
		},
		{
			"an exception that is called a trap is none",
			host.Result{Status: host.StatusError, ExitCode: 1, Error: &host.GuestError{Type: "trap", Message: "mine"}},
			nil,
			nil,
		},
		{
			"a limit of the profile names its key",
			host.Result{Status: host.StatusTimeout},
			nil,
			[]string{`stopped after 10s, the timeout of profile "strict" (to change it: timeout in [profiles.strict] of sandbox.toml, or another --profile)`},
		},
		{
			"a limit of a flag names the flag",
			host.Result{Status: host.StatusTimeout},
			func(o *outcome) { o.overrides.Timeout, o.profile.Timeout = &timeout, timeout },
			[]string{"stopped after 2s, as --timeout asks"},
		},
		{
			"an overridable limit names its flag",
			host.Result{Status: host.StatusOutOfFuel},
			func(o *outcome) { o.profile.Overridable = []string{"fuel"} },
			[]string{`stopped out of fuel: 500_000_000 instructions, the fuel budget of profile "strict" (to raise it: --fuel)`},
		},
		{
			"memory",
			host.Result{Status: host.StatusOutOfMemory},
			nil,
			[]string{`stopped out of memory: 32MiB, the memory limit of profile "strict" (to change it: memory in [profiles.strict] of sandbox.toml, or another --profile)`},
		},
		{
			"disk",
			host.Result{Status: host.StatusDiskQuota},
			nil,
			[]string{`stopped at the disk quota: 50MiB in 1_000 files, the disk quota of profile "strict" (to change it: disk.quota in [profiles.strict] of sandbox.toml, or another --profile)`},
		},
		{
			"cut output is said",
			host.Result{Status: host.StatusOK, StdoutTruncated: true, StderrTruncated: true},
			nil,
			[]string{
				`standard output was cut at 100KB, the stdout limit of profile "strict" (to change it: stdout in [profiles.strict] of sandbox.toml, or another --profile)`,
				`standard error was cut at 100KB, the stderr limit of profile "strict" (to change it: stderr in [profiles.strict] of sandbox.toml, or another --profile)`,
			},
		},
		{
			"stopping for output names the stream",
			host.Result{Status: host.StatusOutputLimit, StderrTruncated: true},
			nil,
			[]string{`stopped for writing too much: 100KB, the stderr limit of profile "strict" (to change it: stderr in [profiles.strict] of sandbox.toml, or another --profile)`},
		},
		{
			"our own failure says so",
			host.Result{Status: host.StatusInternal, Error: &host.GuestError{Message: "lost"}},
			nil,
			[]string{"internal error: lost"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			policy := policies.Builtin()
			profile, err := policy.Profile("strict")
			if err != nil {
				t.Fatal(err)
			}
			o := outcome{executed: executed{result: &tt.result}, policy: policy, profile: profile}
			if tt.change != nil {
				tt.change(&o)
			}
			if diff := cmp.Diff(tt.want, o.notes(t.Context())); diff != "" {
				t.Error(diff)
			}
		})
	}
}
