// Package hostile reads the corpus of hostile guests and sets the stage for them. It
// is for tests: every front door of sandboxd runs the same corpus on the same stage.
//
// A guest is one file, and its extension is its language. The file begins with
// comments: what the guest tries, an empty comment line, and one fact a line of what
// must come of it.
package hostile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/sandboxd/sandboxd/policies"
)

// Guest is one file of the corpus.
type Guest struct {
	// Name is that of its file, without the directory.
	Name string
	Code []byte
	// Profile is the profile to run it under, changed by Overrides.
	Profile   string
	Overrides policies.Overrides
	want      want
}

// want is what must come of a guest.
type want struct {
	status    string
	exit      int
	stdout    string // all of it, unless has or truncated say otherwise
	stderr    []string
	has       []string // parts of stdout
	fault     string   // the error's type; "*" for any
	created   []string
	truncated bool
}

// Outcome is what came of a guest, as far as every front door tells.
type Outcome struct {
	Status         string
	ExitCode       int
	Success        bool
	Stdout, Stderr string
	Truncated      bool   // either stream
	Fault          string // the error's type; empty if there is no error
	Told           string // whatever else the caller is told
	Created        []string
	FuelConsumed   uint64
	FuelBudget     uint64
}

// Names lists the guests of a directory for whose extension there is a language, such
// as ".py".
func Names(dir string, known func(extension string) bool) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if extension := filepath.Ext(e.Name()); extension != ".md" && known(extension) {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	return names, nil
}

// comments are how lines of comments begin.
var comments = []string{"#", "//", "--"}

// Read reads a guest. version is that of the language's interpreter: "exit 3.13: 1" is
// a fact of versions that begin with 3.13 only.
func Read(name, version string) (*Guest, error) {
	code, err := os.ReadFile(name) //nolint:gosec // a file of the repository
	if err != nil {
		return nil, err
	}
	g := &Guest{Name: filepath.Base(name), Code: code, Profile: "free", want: want{fault: "*"}}
	facts := false
	for line := range strings.Lines(string(code)) {
		text, comment := cutComment(strings.TrimSuffix(line, "\n"))
		switch {
		case !comment && g.want.status == "":
			return nil, fmt.Errorf("%s does not say which status it must end with", name)
		case !comment:
			return g, nil
		case text == "":
			facts = true
		case facts:
			if err := g.line(text, version); err != nil {
				return nil, fmt.Errorf("%s: %q: %w", name, text, err)
			}
		}
	}
	return nil, fmt.Errorf("%s: no program", name)
}

func cutComment(line string) (text string, ok bool) {
	for _, prefix := range comments {
		if text, ok = strings.CutPrefix(line, prefix); ok {
			return text, true
		}
	}
	return line, false
}

func (g *Guest) line(text, version string) error {
	key, value, ok := strings.Cut(strings.TrimSpace(text), ": ")
	if !ok {
		return errors.New("not a fact")
	}
	if at := strings.LastIndexByte(key, ' '); at >= 0 && strings.Trim(key[at:], " .0123456789") == "" {
		if !strings.HasPrefix(version, key[at+1:]+".") {
			return nil
		}
		key = key[:at]
	}
	return g.fact(key, value)
}

func (g *Guest) fact(key, value string) (err error) {
	if strings.HasPrefix(value, `"`) {
		if value, err = strconv.Unquote(value); err != nil {
			return err
		}
	}
	w := &g.want
	switch key {
	case "status":
		w.status = value
	case "exit":
		w.exit, err = strconv.Atoi(value)
	case "stdout":
		w.stdout = value
	case "stdout has":
		w.has = append(w.has, value)
	case "stderr has":
		w.stderr = append(w.stderr, value)
	case "error":
		w.fault = value
	case "created":
		w.created = strings.Fields(value)
	case "truncated":
		w.truncated = value == "yes"
	case "profile":
		g.Profile = value
	default:
		err = g.limit(key, value)
	}
	return err
}

// limit reads a fact about the limits that the guest runs under.
func (g *Guest) limit(key, value string) (err error) {
	o := &g.Overrides
	switch key {
	case "memory", "stdout cap", "stderr cap", "disk":
		var b policies.Bytes
		b, err = policies.ParseBytes(value)
		*map[string]**policies.Bytes{
			"memory": &o.Memory, "disk": &o.DiskQuota, "stdout cap": &o.Stdout, "stderr cap": &o.Stderr,
		}[key] = &b
	case "fuel", "files":
		var n uint64
		n, err = strconv.ParseUint(strings.ReplaceAll(value, "_", ""), 10, 64)
		*map[string]**uint64{"fuel": &o.Fuel, "files": &o.DiskFiles}[key] = &n
	case "timeout":
		var d policies.Duration
		d, err = policies.ParseDuration(value)
		o.Timeout = &d
	default:
		err = errors.New("unknown fact")
	}
	return err
}

// Check says what is wrong with what came of a guest.
func (g *Guest) Check(o Outcome) error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	w := &g.want
	if o.Status != w.status || o.ExitCode != w.exit {
		fail("status %s, exit code %d; want %s, %d", o.Status, o.ExitCode, w.status, w.exit)
	}
	if o.Success != (w.status == "ok") || o.Success != (o.Fault == "") {
		fail("status %s with success %t and error %q", o.Status, o.Success, o.Fault)
	}
	if len(w.has) == 0 && !w.truncated && o.Stdout != w.stdout {
		fail("stdout %.1000q, want %q", o.Stdout, w.stdout)
	}
	for _, part := range w.has {
		if !strings.Contains(o.Stdout, part) {
			fail("stdout %.1000q lacks %q", o.Stdout, part)
		}
	}
	for _, part := range w.stderr {
		if !strings.Contains(o.Stderr, part) {
			fail("stderr %.1000q lacks %q", o.Stderr, part)
		}
	}
	for _, text := range []string{o.Stdout, o.Stderr, o.Told} {
		if strings.Contains(text, Canary) {
			fail("told a secret of the host: %.1000q", text)
		}
	}
	if w.fault != "*" && o.Fault != w.fault {
		fail("error %q, want %q", o.Fault, w.fault)
	}
	if w.created != nil && !slices.Equal(o.Created, w.created) {
		fail("created %q, want %q", o.Created, w.created)
	}
	if o.Truncated != w.truncated {
		fail("output truncated: %t, want %t", o.Truncated, w.truncated)
	}
	if o.FuelConsumed > o.FuelBudget || o.FuelConsumed == 0 {
		fail("consumed %d of %d fuel", o.FuelConsumed, o.FuelBudget)
	}
	return errors.Join(errs...)
}
