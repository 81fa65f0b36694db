//go:build !linux

package harden

import "runtime"

// Apply does nothing on this system, and its report says so.
func Apply(Options) (Report, error) { return Available(), nil }

// Available reports that this system has no layer.
func Available() Report {
	var r Report
	for _, name := range []string{Landlock, Seccomp, NoNewPrivs, Limits} {
		r = append(r, Layer{Name: name, Detail: "only Linux has it; this is " + runtime.GOOS})
	}
	return r
}
