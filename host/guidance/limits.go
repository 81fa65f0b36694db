package guidance

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sandboxd/sandboxd/policies"
)

// general is what there is to say of a status whatever the language is, before what
// the language adds.
func (f *Failure) general() []string {
	p := f.Profile
	switch f.Status {
	case "out_of_fuel":
		said := []string{fmt.Sprintf("The program used all of its %s instructions.", grouped(p.Fuel))}
		if len(f.Causes) > 0 {
			said = append(said, "Most of it may have gone to "+strings.Join(f.Causes, "; ")+".")
		}
		return said
	case "out_of_memory":
		return []string{fmt.Sprintf("The program needed more than %v of memory.", p.Memory)}
	case "timeout":
		if f.waited() {
			return []string{fmt.Sprintf("The program was waiting, not computing: it used %s instructions in %v. Leave out sleeps and timers, and waits for what cannot come.", grouped(f.Fuel), p.Timeout)}
		}
		return []string{fmt.Sprintf("The program was still computing after %v. Do less work in one call: a smaller input, or a part of it at a time.", p.Timeout)}
	case "disk_quota":
		return []string{f.disk()}
	case "output_limit":
		size := p.Stdout
		if f.Key == "stderr" {
			size = p.Stderr
		}
		return []string{fmt.Sprintf("The program wrote more than %v to %s. Print a summary, and write the whole to a file in %s.", size, f.Key, policies.WorkspacePath)}
	case "canceled":
		return []string{"The caller stopped the program; nothing is known to be wrong with it. Run it again."}
	case "internal":
		return []string{"The failure is sandboxd's own, not the program's. Run it again; if it fails again, tell whoever operates sandboxd."}
	}
	return nil
}

// waited reports whether a program that ran out of time spent it waiting: one that
// computes uses a hundred million instructions in a second and more.
func (f *Failure) waited() bool {
	seconds := time.Duration(f.Profile.Timeout).Seconds()
	return float64(f.Fuel) < 20e6*seconds
}

func (f *Failure) disk() string {
	p := f.Profile
	switch f.Key {
	case "disk.files":
		return fmt.Sprintf("The program may have %s files and directories. Put more into each of them, or delete those that it no longer needs.", grouped(p.Disk.Files))
	case "disk.file_size":
		return fmt.Sprintf("No file may be larger than %v. Write several, or compress what is written.", p.Disk.Largest())
	}
	return fmt.Sprintf("The program's files may have %v together. Delete what is no longer needed, write less, or compress it.", p.Disk.Quota)
}

// cures are what there is to do around a program that reached a limit.
func (f *Failure) cures() []string {
	p, base := f.Profile, f.Base
	if base == nil {
		base = p
	}
	var said []string
	add := func(key string, value any, room bool) {
		overridable := room || slices.Contains(p.Overridable, key)
		if s := f.Interface.raise(key, f.Interface.write(value), p.Name, overridable); s != "" {
			said = append(said, s)
		}
	}
	switch f.Status {
	case "out_of_fuel":
		value, room := f.MoreFuel, base.Fuel > p.Fuel
		if room && !slices.Contains(p.Overridable, "fuel") {
			value = min(value, base.Fuel)
		}
		if s := phrases[f.Interface][topicMeasure]; s != "" && f.Profilable {
			said = append(said, s)
		}
		add("fuel", value, room)
	case "out_of_memory":
		add("memory", 2*p.Memory, base.Memory > p.Memory)
	case "timeout":
		if !f.waited() {
			add("timeout", 2*p.Timeout, base.Timeout > p.Timeout)
		}
	case "disk_quota":
		switch f.Key {
		case "disk.files":
			add(f.Key, 2*p.Disk.Files, base.Disk.Files > p.Disk.Files)
		case "disk.file_size":
			add(f.Key, 2*p.Disk.Largest(), base.Disk.Largest() > p.Disk.Largest())
		default:
			add("disk.quota", 2*p.Disk.Quota, base.Disk.Quota > p.Disk.Quota)
		}
	case "output_limit":
		size, room := p.Stdout, base.Stdout > p.Stdout
		if f.Key == "stderr" {
			size, room = p.Stderr, base.Stderr > p.Stderr
		}
		add(f.Key, 2*size, room)
	case "internal":
		if s := phrases[f.Interface][topicReport]; s != "" {
			said = append(said, s)
		}
	}
	return said
}

// write is a limit as an interface takes it: everywhere with its unit, but for messages
// whose fields are numbers.
func (i Interface) write(value any) string {
	if size, ok := value.(policies.Bytes); ok && i == RPC {
		return strconv.FormatUint(uint64(size), 10)
	}
	return fmt.Sprint(value)
}

// fallback is for a program that failed in a way that nothing is known of.
func (f *Failure) fallback() []string {
	switch f.Type {
	case "exit":
		return []string{"The program ended itself with this exit code; what it wrote to standard output and standard error may say why."}
	case "trap":
		return []string{"The interpreter itself broke off, most often for a recursion that is too deep, or data that is nested too deeply. Use a loop, or a list of what is left to do."}
	}
	if source := f.source(); source != "" {
		return []string{fmt.Sprintf("It happened in line %d: %s.", f.Line, quote(source))}
	}
	return []string{"Standard error says where it happened."}
}

// grouped writes n with its digits in threes.
func grouped(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "_" + s[i:]
	}
	return s
}
