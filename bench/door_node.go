package main

import (
	"context"
	"os/exec"
	"strings"
)

// quickJSVersion is the npm package that is installed.
const quickJSVersion = "0.32.0"

// openNode finds the machine's own node.
func openNode(ctx context.Context, e *environment) (door, string, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, "", err
	}
	// A launcher on PATH, such as a version manager's, would add its own time.
	out, err := command(ctx, "", node, "-e", "console.log(process.execPath); console.log(process.version)")
	if err != nil {
		return nil, "", err
	}
	path, version, _ := strings.Cut(strings.TrimSpace(out), "\n")
	return programs{dir: e.scratch, name: path, args: []string{"-e"}}, version, nil
}

// openQuickJS starts a node process in which quickjs-emscripten makes a runtime and a
// context for every call, within limits on memory and time.
func openQuickJS(ctx context.Context, e *environment) (door, string, error) {
	dir, node, err := installNode(ctx, e, "quickjs-emscripten", quickJSVersion)
	if err != nil {
		return nil, "", err
	}
	w, err := startWorker(ctx, dir, node, "quickjs-emscripten.mjs")
	if err != nil {
		return nil, "", err
	}
	return w, quickJSVersion + " (" + w.version + ")", nil
}
