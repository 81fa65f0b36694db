package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
)

// outcome is a finished call and what it ran under.
type outcome struct {
	executed
	policy    *policies.Policy
	profile   *policies.Profile // effective: the overrides are applied
	overrides policies.Overrides
}

// reportJSON prints the result and nothing else.
func (a *app) reportJSON(ctx context.Context, r *host.Result) error {
	if err := a.printJSON(r); err != nil {
		return err
	}
	return exitWith(guestCode(ctx, r))
}

// report says on standard error what the guest's own output does not: which
// limit stopped it, what was cut, and on a terminal a summary.
func (a *app) report(ctx context.Context, o outcome) error {
	if o.midLine {
		_, _ = fmt.Fprintln(a.stderr)
	}
	if err := a.printValue(o.result); err != nil {
		return err
	}
	if n := len(o.result.Displays); n > 0 {
		a.note("the program showed %d of what only --json has: see \"displays\"", n)
	}
	for _, line := range o.notes(ctx) {
		a.note("%s", line)
	}
	if isTerminal(a.stderr) {
		a.hints(o.result)
		a.summary(o.result)
	}
	return exitWith(guestCode(ctx, o.result))
}

// printValue prints what the last expression came to, as its language writes it.
func (a *app) printValue(r *host.Result) error {
	text := r.Value["text/plain"]
	if text == "" {
		return nil
	}
	midLine := false
	out := newGuestWriter(a.stdout, func() {}, &midLine)
	_, err := out.Write([]byte(text + "\n"))
	return errors.Join(err, out.close())
}

// exitWith ends a command with code and no message.
func exitWith(code int) error {
	if code == exitOK {
		return nil
	}
	return &exitError{code: code}
}

// notes are the lines that everybody should see.
func (o outcome) notes(ctx context.Context) []string {
	var notes []string
	if o.result.StdoutTruncated && o.result.Status != host.StatusOutputLimit {
		notes = append(notes, "standard output was cut at "+o.limit("stdout"))
	}
	if o.result.StderrTruncated && o.result.Status != host.StatusOutputLimit {
		notes = append(notes, "standard error was cut at "+o.limit("stderr"))
	}
	switch o.result.Status {
	case host.StatusOutOfFuel:
		notes = append(notes, "stopped out of fuel: "+o.limit("fuel"))
	case host.StatusOutOfMemory:
		notes = append(notes, "stopped out of memory: "+o.limit("memory"))
	case host.StatusTimeout:
		notes = append(notes, "stopped after "+o.limit("timeout"))
	case host.StatusDiskQuota:
		notes = append(notes, "stopped at the disk quota: "+o.limit("disk"))
	case host.StatusOutputLimit:
		notes = append(notes, "stopped for writing too much: "+o.limit(o.outputKey()))
	case host.StatusCanceled:
		notes = append(notes, canceledNote(ctx))
	case host.StatusInternal:
		notes = append(notes, internalNote(o.result))
	case host.StatusError:
		if trapped(o.result) {
			notes = append(notes, "the interpreter broke off: "+inert(o.result.Error.Message))
		}
	case host.StatusOK: // the guest has spoken for itself
	}
	return notes
}

// trapped says whether the interpreter itself broke off, so that the guest said nothing.
func trapped(r *host.Result) bool {
	return r.Status == host.StatusError && r.ExitCode == 134 && r.Error != nil && r.Error.Type == "trap"
}

// limit describes one limit: its value, who set it, and how to get more.
func (o outcome) limit(name string) string {
	l := o.setting(name)
	if l.asked {
		return fmt.Sprintf("%s, as --%s asks", l.value, l.flag)
	}
	cure := fmt.Sprintf("to change it: %s in %s, or another --profile", l.key, o.place())
	if slices.Contains(o.profile.Overridable, l.key) {
		cure = "to raise it: --" + l.flag
	}
	return fmt.Sprintf("%s, the %s of profile %q (%s)", l.value, l.noun, o.profile.Name, cure)
}

// place is where an operator changes the profile.
func (o outcome) place() string {
	file := o.policy.Path()
	if file == "" {
		file = "sandbox.toml"
	}
	return fmt.Sprintf("[profiles.%s] of %s", o.profile.Name, file)
}

// setting is one effective limit.
type setting struct {
	value string // with its unit
	noun  string // what a profile has it as
	key   string // in sandbox.toml
	flag  string // of "run"
	asked bool   // the flag was given
}

func (o outcome) setting(name string) setting {
	p, asked := o.profile, o.overrides
	switch name {
	case "fuel":
		return setting{grouped(p.Fuel) + " instructions", "fuel budget", name, name, asked.Fuel != nil}
	case "memory":
		return setting{p.Memory.String(), "memory limit", name, name, asked.Memory != nil}
	case "timeout":
		return setting{p.Timeout.String(), "timeout", name, name, asked.Timeout != nil}
	case "stdout":
		return setting{p.Stdout.String(), "stdout limit", name, name, asked.Stdout != nil}
	case "stderr":
		return setting{p.Stderr.String(), "stderr limit", name, name, asked.Stderr != nil}
	default:
		value := fmt.Sprintf("%s in %s files", p.Disk.Quota, grouped(p.Disk.Files))
		return setting{value, "disk quota", "disk.quota", "disk", asked.DiskQuota != nil || asked.DiskFiles != nil}
	}
}

// outputKey names the stream that reached its limit.
func (o outcome) outputKey() string {
	if o.result.StderrTruncated && !o.result.StdoutTruncated {
		return "stderr"
	}
	return "stdout"
}

func canceledNote(ctx context.Context) string {
	if cause := context.Cause(ctx); cause != nil {
		return "canceled: " + cause.Error()
	}
	return "canceled"
}

func internalNote(r *host.Result) string {
	if r.Error == nil {
		return "internal error"
	}
	return "internal error: " + r.Error.Message
}

// hints prints advice on a failure, when there is any.
func (a *app) hints(r *host.Result) {
	if r.Error == nil {
		return
	}
	for _, advice := range r.Error.Guidance {
		a.note("hint: %s", inert(advice))
	}
}

// summary prints the one-line account of a call.
func (a *app) summary(r *host.Result) {
	color := colorOf(r.Status)
	if !a.colored(a.stderr) {
		color = ""
	}
	parts := []string{
		paint(color, string(r.Status)),
		roughSeconds(r.DurationSeconds),
		fmt.Sprintf("fuel %s of %s (%s)", roughCount(r.FuelConsumed), roughCount(r.FuelBudget), percent(r.FuelConsumed, r.FuelBudget)),
		"memory " + roughBytes(r.MemoryBytes),
	}
	if r.Status == host.StatusError {
		parts[0] += fmt.Sprintf(" (exit %d)", r.ExitCode)
	}
	a.note("%s", strings.Join(parts, ", "))
}

func colorOf(s host.Status) string {
	switch s {
	case host.StatusOK:
		return "32" // green
	case host.StatusError, host.StatusInternal:
		return "31" // red
	case host.StatusOutOfFuel, host.StatusOutOfMemory, host.StatusTimeout, host.StatusCanceled,
		host.StatusDiskQuota, host.StatusOutputLimit:
		return "33" // yellow
	}
	return ""
}

// paint wraps text in the SGR code color; an empty color leaves it plain.
func paint(color, text string) string {
	if color == "" {
		return text
	}
	return "\x1b[" + color + "m" + text + styleReset
}

// grouped writes n with its digits in threes, as sandbox.toml accepts them.
func grouped(n uint64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "_" + s[i:]
	}
	return s
}

// roughCount writes n with three digits or so: 999, 1.2K, 12M, 345G.
func roughCount(n uint64) string { return rough(float64(n), 1000, "", "K", "M", "G", "T") }

// roughBytes writes a size for people: 512 B, 1.5 KiB, 12 MiB.
func roughBytes(n uint64) string { return rough(float64(n), 1024, " B", " KiB", " MiB", " GiB") }

func rough(n, step float64, units ...string) string {
	unit := 0
	for n >= step && unit < len(units)-1 {
		n /= step
		unit++
	}
	if unit > 0 && n < 10 {
		return fmt.Sprintf("%.1f%s", n, units[unit])
	}
	return fmt.Sprintf("%.0f%s", n, units[unit])
}

// roughSeconds writes a duration for people: 0.8 ms, 12 ms, 3.4 s.
func roughSeconds(s float64) string {
	switch d := time.Duration(s * float64(time.Second)); {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
	case d < time.Second:
		return fmt.Sprintf("%.0f ms", d.Seconds()*1000)
	default:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
}

func percent(part, whole uint64) string {
	if whole == 0 {
		return "0%"
	}
	switch p := 100 * float64(part) / float64(whole); {
	case part > 0 && p < 0.1:
		return "<0.1%"
	case p < 10:
		return fmt.Sprintf("%.1f%%", p)
	default:
		return fmt.Sprintf("%.0f%%", p)
	}
}
