package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/host/guidance"
	"github.com/sandboxd/sandboxd/policies"
)

// TestGuidanceNamesWhatThereIs holds what people at the command line are told against the
// command line: each flag is one of "run", each command exists, each key is a profile's.
func TestGuidanceNamesWhatThereIs(t *testing.T) {
	root := (&app{}).rootCommand()
	run, _, err := root.Find([]string{"run"})
	if err != nil {
		t.Fatal(err)
	}
	names := guidance.Names(guidance.CLI)
	if len(names) < 15 {
		t.Errorf("only %d names are in it: %q", len(names), names)
	}
	for _, name := range names {
		words := strings.Fields(name)
		switch {
		case strings.HasPrefix(name, "--"):
			if run.Flags().Lookup(strings.TrimPrefix(words[0], "--")) == nil {
				t.Errorf("`%s`: there is no such flag", name)
			}
		case words[0] == "sandboxd":
			if found, rest, err := root.Find(words[1:]); err != nil || found == root || len(rest) > 0 {
				t.Errorf("`%s`: there is no such command (%v)", name, err)
			}
		case name == "sandbox.toml":
		default:
			profile := "[profiles.p]\n" + name + " = 1\n"
			if key, last, nested := strings.Cut(name, "."); nested {
				profile = "[profiles.p." + key + "]\n" + last + " = 1\n"
			}
			if _, err := policies.Parse("sandbox.toml", []byte(profile)); err != nil && strings.Contains(err.Error(), "unknown key") {
				t.Errorf("`%s`: there is no such key: %v", name, err)
			}
		}
	}
	if !slices.Contains(names, "disk.quota") {
		t.Error("no key is among the names")
	}
}
