package main

import (
	"testing"

	"github.com/sandboxd/sandboxd/host/harden"
	"github.com/sandboxd/sandboxd/policies"
)

func TestWhatIsDemandedMustBeThere(t *testing.T) {
	whole := harden.Report{{Name: harden.Landlock, Active: true, Detail: "files"}}
	partial := append(harden.Report{{Name: harden.Seccomp, Detail: "the kernel does not have it"}}, whole...)
	const refusal = "[server] harden = true: this machine lacks seccomp (none: the kernel does not have it); leave the key out to run with the layers it has"
	for _, test := range []struct {
		name   string
		harden policies.Hardening
		have   harden.Report
		want   string
	}{
		{"left out, all layers", policies.HardenIfPossible, whole, ""},
		{"left out, one missing", policies.HardenIfPossible, partial, ""},
		{"demanded, all layers", policies.HardenAlways, whole, ""},
		{"demanded, one missing", policies.HardenAlways, partial, refusal},
		{"switched off, one missing", policies.HardenNever, partial, ""},
	} {
		got := ""
		if err := checkHardening(policies.Server{Harden: test.harden}, test.have); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
