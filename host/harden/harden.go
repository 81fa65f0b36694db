// Package harden gives up what a process does not need before it runs what nobody
// has trusted yet.
//
// The guest is held by WebAssembly, fuel and a filesystem of our own. This package is
// for the day when one of those has a hole and a guest executes code in the host's
// process: that code then finds a kernel which refuses it other files, programs,
// sockets, processes and privileges. Four layers do that on Linux: Landlock for files
// and the network, a seccomp filter for system calls, no_new_privs, and resource
// limits. Each is kept or left out by itself, as the kernel allows, and a [Report]
// says which. Other systems have none of them.
//
// What remains to such code: everything that [Options] grant, all memory of the
// process, files and sockets that were open before, reading the attributes of files
// anywhere (names, sizes, times), changing the times of its user's own files, and as
// much processor time and memory as the process may use. Code can still be made at
// run time, since that is how the engine works.
package harden

import "strings"

// Options say what the process still needs. The zero value gives up everything that
// can be given up.
//
// A path that cannot be reached when [Apply] is called grants nothing, and what is made
// there later cannot be opened. A symbolic link grants what it leads to then. A
// directory grants what is below it, now and later. Where paths overlap, what any of
// them grants is granted: a directory is not read-only that lies in a writable one.
//
// What is open keeps working, whatever is granted: files, terminals, listeners and
// connections. So a daemon opens its listeners first. Sockets' files, special files
// and symbolic links cannot be made afterwards, nor can modes and owners be changed
// by path; [os.File.Chmod] works.
type Options struct {
	// Read are files and directories whose content may be read.
	Read []string
	// Write are files and directories that may be read and changed: in directories,
	// files and directories may be made, renamed and deleted.
	Write []string
	// Temporary are directories of the process's own: as Write, and they may be
	// deleted themselves once they are empty. The price is that other empty
	// directories may be deleted too, of those that lie where they do.
	Temporary []string
	// Execute are programs, and directories of them and of their libraries, that may
	// be executed and read. Where it is empty no process can be started at all, and
	// none but this one be sent a signal.
	Execute []string
	// Network lets the process make sockets, for TCP, UDP and local connections, and
	// read the files by which Go finds names and checks certificates. They are those
	// of this moment: a daemon that must follow changes of /etc/resolv.conf is
	// restarted. Without it, no socket can be made.
	Network bool
}

// Names of layers.
const (
	Landlock   = "landlock"
	Seccomp    = "seccomp"
	NoNewPrivs = "no_new_privs"
	Limits     = "rlimits"
)

// Layer is one thing that the kernel does for us.
type Layer struct {
	Name   string `json:"name"`
	Active bool   `json:"active"`
	// Detail says, in words for people, what an active layer covers, or why this one
	// is not active.
	Detail string `json:"detail"`
}

// Report lists all layers, always in the same order.
type Report []Layer

// Missing are the layers that are not active.
func (r Report) Missing() Report {
	var missing Report
	for _, l := range r {
		if !l.Active {
			missing = append(missing, l)
		}
	}
	return missing
}

// String lists the layers for people, such as "landlock (files), seccomp (none: the
// kernel has none)".
func (r Report) String() string {
	parts := make([]string, len(r))
	for i, l := range r {
		parts[i] = l.Name + " (" + l.Detail + ")"
		if !l.Active {
			parts[i] = l.Name + " (none: " + l.Detail + ")"
		}
	}
	return strings.Join(parts, ", ")
}
