package packages

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// pipGrace is how long a killed pip may hold its pipes open.
const pipGrace = 2 * time.Second

// pips are the commands by which pip is found, in this order.
var pips = [][]string{{"pip3"}, {"pip"}, {"python3", "-m", "pip"}}

// pip returns the command line of the pip client on PATH.
func pip() ([]string, error) {
	for _, command := range pips {
		if path, err := exec.LookPath(command[0]); err == nil {
			return append([]string{path}, command[1:]...), nil
		}
	}
	return nil, fmt.Errorf("%w: pip was not found on PATH: install Python, which brings it; packages that were added before work without it", ErrUnavailable)
}

// download runs pip until it has put the wheels of a requirement into dir. The client
// knows the user's index, credentials and proxies, so this package names no index.
//
// A source distribution would run its own code on this machine: --only-binary refuses
// all of them.
func download(ctx context.Context, dir string, options []string, spec string) error {
	command, err := pip()
	if err != nil {
		return err
	}
	args := append(command[1:], "download", "--only-binary=:all:", "--dest="+dir,
		"--disable-pip-version-check", "--no-input", "--quiet", "--retries=2", "--timeout=20")
	args = append(args, options...)
	// The requirement was checked to be a name and a version; "--" ends the options.
	args = append(args, "--", spec)
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, command[0], args...) // #nosec G204
	cmd.Dir, cmd.Stderr, cmd.WaitDelay = dir, &limited{to: &said}, pipGrace
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &pipError{spec: spec, said: said.String(), err: err}
	}
	return nil
}

// pipError is pip's failure.
type pipError struct {
	spec, said string
	err        error
}

func (e *pipError) Unwrap() []error { return []error{ErrUnavailable, e.err} }

// missing says whether the index has no wheel that would fit.
func (e *pipError) missing() bool {
	return strings.Contains(e.said, "No matching distribution found")
}

func (e *pipError) Error() string {
	hint := ""
	switch {
	case e.missing():
		hint = ": the index has no such version, or no wheel of it: check the name and the version"
	case strings.Contains(e.said, "Connection"), strings.Contains(e.said, "Temporary failure"), strings.Contains(e.said, "timed out"):
		hint = ": the index could not be reached: check the network and pip's proxy settings"
	case strings.Contains(e.said, "No space left"):
		hint = ": the disk is full"
	}
	return fmt.Sprintf("pip could not fetch %s: %v%s%s", e.spec, e.err, hint, shown(e.said))
}

var unprintable = regexp.MustCompile(`[^\x20-\x7e]`)

// shown is the last lines of what pip said, fit to be shown.
func shown(said string) string {
	const most, width = 4, 200
	lines := strings.Split(strings.TrimSpace(said), "\n")
	var text strings.Builder
	for _, line := range lines[max(0, len(lines)-most):] {
		line = unprintable.ReplaceAllString(strings.TrimSpace(line), "?")
		if line != "" {
			text.WriteString("\n\t" + line[:min(len(line), width)])
		}
	}
	return text.String()
}

// limited keeps the first bytes that are written to it.
type limited struct{ to *bytes.Buffer }

func (l *limited) Write(b []byte) (int, error) {
	const most = 64 << 10
	l.to.Write(b[:min(len(b), most-min(most, l.to.Len()))])
	return len(b), nil
}

// target are pip's options for wheels of one kind, for a version of Python such as "3.12".
func target(python string, native bool) []string {
	options := []string{"--python-version=" + python, "--platform=any", "--abi=none"}
	if !native {
		return append(options, "--implementation=py")
	}
	return append(options, "--implementation=cp", "--platform=manylinux2014_x86_64",
		"--platform=manylinux_2_28_x86_64", "--abi=cp"+strings.ReplaceAll(python, ".", ""))
}

// wheelTarget are the options that get exactly a wheel of the name.
func wheelTarget(file string) []string {
	tags := strings.Split(strings.TrimSuffix(file, ".whl"), "-")
	abi := tags[len(tags)-2]
	if version, ok := strings.CutPrefix(abi, "cp3"); ok {
		return target("3."+version, true)
	}
	return target("3.12", false)
}

// fetch gets the wheel of a pinned package with pip; the caller checks it.
func fetch(ctx context.Context, dir string, p *Package) (string, error) {
	spec := p.Name + "==" + p.Version
	if err := download(ctx, dir, append([]string{"--no-deps"}, wheelTarget(p.File)...), spec); err != nil {
		return "", err
	}
	found, err := wheels(dir)
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%w: pip left %d wheels of %s, not one", ErrUnavailable, len(found), spec)
	}
	return found[0], nil
}

// wheels are the paths of the wheels in dir.
func wheels(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	var found []string
	for _, e := range entries {
		if e.Type().IsRegular() && filepath.Ext(e.Name()) == ".whl" {
			found = append(found, filepath.Join(dir, e.Name()))
		}
	}
	return found, nil
}

// resolve gets the wheels of a requirement and of all that it needs. What the catalogue
// has is taken in the catalogue's version. Wheels of pure Python are tried first.
func resolve(ctx context.Context, dir, python, spec string, catalogue *Lock) ([]string, error) {
	pins := filepath.Join(dir, "catalogue.txt")
	var text strings.Builder
	wanted, _, _ := strings.Cut(spec, "==")
	for _, p := range catalogue.Packages {
		if p.Name == wanted {
			continue // in another version than the catalogue's
		}
		fmt.Fprintf(&text, "%s==%s\n", p.Name, p.Version)
	}
	if err := os.WriteFile(pins, []byte(text.String()), 0o600); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	err := download(ctx, dir, append(target(python, false), "--constraint="+pins), spec)
	if failed := new(pipError); errors.As(err, &failed) && failed.missing() {
		err = download(ctx, dir, append(target(python, true), "--constraint="+pins), spec)
	}
	if err != nil {
		return nil, err
	}
	return wheels(dir)
}
