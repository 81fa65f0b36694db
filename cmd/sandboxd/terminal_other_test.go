//go:build !linux

package main

import "github.com/rogpeppe/go-internal/testscript"

// cmdTerminal has no terminals to give here; scripts that want one are for Linux.
func cmdTerminal(ts *testscript.TestScript, _ bool, _ []string) { ts.Fatalf("no terminal") }
