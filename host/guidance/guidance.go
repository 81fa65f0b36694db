// Package guidance says what to do about a failure. A failure is what the host knows of
// how a call ended and what the guest says of it; guidance is a few sentences about what
// to change, in the program or around it, for the interface that the call came in by.
//
// What is particular to a language is in that language's [Rules], which its runtime has
// in a file beside its definition; what every language has in common, such as limits, is
// here. Advice is information for people and models: nothing decides by it.
//
// The guest writes the type, the message, standard error and the program. Patterns match
// in time linear in what is looked at, which is capped, and of what they find a sentence
// holds only short quoted pieces: a guest can have a sentence chosen that does not fit,
// and no more. Everything in this package is safe for concurrent use.
package guidance

import (
	"bytes"
	"path"
	"strconv"
	"strings"

	"github.com/sandboxd/sandboxd/policies"
)

// Failure is a call that failed.
type Failure struct {
	Interface Interface
	// Status is the result's, such as "error" or "out_of_fuel".
	Status string
	// Type and Message are the error's as the guest reported it, or empty.
	Type, Message string
	// Line is where in the program it happened, from 1; 0 when unknown.
	Line int
	// Code is the program, and Stderr what the guest wrote to standard error.
	Code   []byte
	Stderr string

	// Profile is what the call ran under, and Base the same as the policy has it,
	// before the request tightened it.
	Profile, Base *policies.Profile
	// Fuel is what the call used, and Causes what most of it may have gone to, in
	// clauses; MoreFuel is a budget that would leave room.
	Fuel, MoreFuel uint64
	Causes         []string
	// Key is the limit that was reached, such as "disk.quota"; empty when there was none.
	Key string
	// Profilable says whether the call's fuel can be told by function, and was not.
	Profilable bool
	// Packages are the names of modules that a catalogue has for the language; nil when
	// there is no catalogue.
	Packages []string
}

// Bounds of what is looked at and quoted, in bytes and lines.
const (
	maxCode   = 256 << 10
	maxLines  = 10_000
	maxStderr = 8 << 10
	maxLine   = 1 << 10
	maxQuoted = 80
)

// Advise returns sentences about what to do, at most [MaxSentences], and the name of
// the rule that they come from; the name is empty for those that are no language's. The
// rules may be nil.
func Advise(f *Failure, rules *Rules) (sentences []string, rule string) {
	var own []string
	if r, fields := rules.find(f); r != nil {
		own, rule = fields.expand(r.Say), r.Name
	}
	sentences = append(f.general(), own...)
	sentences = append(sentences, f.cures()...)
	if len(sentences) == 0 {
		sentences = f.fallback()
	}
	return sentences[:min(len(sentences), MaxSentences)], rule
}

// MaxSentences is the most that [Advise] says.
const MaxSentences = 8

// quote makes a guest's text fit to stand in a sentence: short, in quotes, on one line.
func quote(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) > maxQuoted {
		s = strings.ToValidUTF8(s[:maxQuoted], "") + "…"
	}
	return strconv.Quote(s)
}

// source is the program's line that failed, without the space around it.
func (f *Failure) source() string {
	if f.Line <= 0 || f.Line > maxLines {
		return ""
	}
	rest := f.Code[:min(len(f.Code), maxCode)]
	for range f.Line - 1 {
		_, after, found := bytes.Cut(rest, []byte{'\n'})
		if !found {
			return ""
		}
		rest = after
	}
	line, _, _ := bytes.Cut(rest, []byte{'\n'})
	return strings.TrimSpace(string(line[:min(len(line), maxLine)]))
}

// tail is the end of standard error.
func (f *Failure) tail() string {
	return f.Stderr[max(0, len(f.Stderr)-maxStderr):]
}

// pointed is what an interpreter's caret stands under: the rest of the line in the
// last pair of lines of standard error of which the second is spaces and carets.
func (f *Failure) pointed() string {
	lines := strings.Split(f.tail(), "\n")
	for i := len(lines) - 1; i > 0; i-- {
		marks := strings.TrimRight(lines[i], " \r")
		at := strings.IndexByte(marks, '^')
		if at < 0 || strings.Trim(marks, " \t^~") != "" {
			continue
		}
		above := []rune(lines[i-1])
		if at >= len(above) {
			return ""
		}
		return strings.TrimSpace(string(above[at:min(len(above), at+maxQuoted)]))
	}
	return ""
}

// place says where a path leads.
type place int

const (
	outside  place = iota // nowhere that the program sees
	readable              // into a mount that it can read
	writable              // into the workspace, or a mount that it can change
)

// placeOf says where a path of the guest's leads.
func (f *Failure) placeOf(p string) place {
	if !path.IsAbs(p) {
		p = policies.WorkspacePath + "/" + p
	}
	p = path.Clean(p)
	within := func(dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }
	if within(policies.WorkspacePath) {
		return writable
	}
	for _, m := range f.Profile.Mounts {
		if within(m.Guest) {
			if m.Writable {
				return writable
			}
			return readable
		}
	}
	return outside
}

// directories are those that the program sees, for people.
func (f *Failure) directories(mustWrite bool) string {
	names := []string{policies.WorkspacePath}
	for _, m := range f.Profile.Mounts {
		switch {
		case m.Writable:
			names = append(names, m.Guest)
		case !mustWrite:
			names = append(names, m.Guest+" (read-only)")
		}
	}
	const most = 8
	if len(names) > most {
		names = append(names[:most], "and others")
	}
	return strings.Join(names, ", ")
}
