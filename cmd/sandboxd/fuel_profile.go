package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/fuelprofile"
)

// profileTable is what --profile-fuel without a file asks for.
const profileTable = "-"

// profileRows is how many functions the table shows.
const profileRows = 20

// openProfile makes the file of --profile-fuel, nil if there is to be none: now, because
// this process may be able to open nothing once it has run a program.
func openProfile(name string) (*os.File, error) {
	if name == "" || name == profileTable {
		return nil, nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // the user names the file
	if err != nil {
		return nil, fmt.Errorf("make the fuel profile: %w", err)
	}
	return f, nil
}

// writeProfile writes a profile to the file of --profile-fuel and closes it, and shows a
// table on standard error unless quiet. There is no profile of a guest that did not
// return.
func (a *app) writeProfile(r *host.Result, f *os.File, quiet bool) (err error) {
	if f != nil {
		defer func() { err = errors.Join(err, f.Close()) }()
	}
	p := r.FuelProfile
	if p == nil {
		a.note("there is no fuel profile: the program did not return")
		return nil
	}
	if f != nil {
		if err := p.Write(f); err != nil {
			return err
		}
	}
	if !quiet {
		printProfile(a.stderr, p)
	}
	return nil
}

// printProfile shows the functions that used most. Names are the guest's, and are made
// inert.
func printProfile(w io.Writer, p *fuelprofile.Profile) {
	var b strings.Builder
	fmt.Fprintf(&b, "fuel by function, of %s (and %s to find out)\n", roughCount(p.Total), roughCount(p.Overhead))
	fmt.Fprintf(&b, "%8s %6s %8s %6s %8s  %s\n", "self", "", "total", "", "calls", "function")
	shown := p.Functions[:min(len(p.Functions), profileRows)]
	for _, f := range shown {
		fmt.Fprintf(&b, "%8s %6s %8s %6s %8s  %s\n", roughCount(f.Self), percent(f.Self, p.Total),
			roughCount(f.Total), percent(f.Total, p.Total), roughCount(f.Calls), functionName(f))
	}
	if more := len(p.Functions) - len(shown) + p.Omitted; more > 0 {
		fmt.Fprintf(&b, "and %d more\n", more)
	}
	_, _ = io.WriteString(w, b.String())
}

// functionName is a function with where it is.
func functionName(f fuelprofile.Function) string {
	if f.File == "" {
		return inert(f.Name)
	}
	return fmt.Sprintf("%s (%s:%d)", inert(f.Name), inert(path.Base(f.File)), f.Line)
}
