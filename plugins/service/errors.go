package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/host/workspace"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// The classes of errors that begin here, for errors.Is; see [KindOf] for all.
var (
	// ErrDenied means that the caller may not do that.
	ErrDenied = errors.New("permission denied")
	// ErrInvalid means that the request must be corrected.
	ErrInvalid = fmt.Errorf("service: %w", host.ErrInvalid)
	// ErrNotFound means that the caller has no such thing.
	ErrNotFound = errors.New("not found")
	// ErrDraining means that the service is about to end.
	ErrDraining = errors.New("the service is ending; try another one, or later")
)

// Kind is the class of an error, for front ends to word in their protocol's terms.
type Kind int

// The kinds of errors.
const (
	Internal    Kind = iota // sandboxd's fault, not the caller's
	Invalid                 // the request must be corrected
	Denied                  // the caller or the profile may not
	NotFound                // no such session, turn, file, profile or runtime
	Exists                  // the name is taken
	Conflict                // what is there stands in the way
	Exhausted               // a quota is full
	Busy                    // too much runs or waits: try again later
	Unavailable             // the service ends, or a runtime cannot be fetched now
	Canceled                // the caller gave up
	Late                    // the caller's deadline passed
)

var kinds = []struct {
	class error
	kind  Kind
}{
	{context.Canceled, Canceled},
	{context.DeadlineExceeded, Late},
	{host.ErrClosed, Unavailable},
	{ErrDraining, Unavailable},
	{host.ErrBusy, Busy}, // session.ErrBusy too
	{host.ErrStateVersion, Conflict},
	{ErrDenied, Denied},
	{policies.ErrDenied, Denied},
	{workspace.ErrQuota, Exhausted},
	{session.ErrExists, Exists},
	{workspace.ErrExists, Exists},
	{workspace.ErrNotEmpty, Conflict},
	{ErrNotFound, NotFound},
	{session.ErrNotFound, NotFound},
	{workspace.ErrNotFound, NotFound},
	{policies.ErrNotFound, NotFound},
	{runtimes.ErrNotFound, NotFound},
	{host.ErrInvalid, Invalid}, // session.ErrInvalid and ErrInvalid too
	{policies.ErrInvalid, Invalid},
	{workspace.ErrName, Invalid},
	{workspace.ErrArchive, Invalid},
	{workspace.ErrNotRegular, Invalid},
	{workspace.ErrNotDirectory, Invalid},
	{runtimes.ErrUnavailable, Unavailable},
}

// KindOf classifies an error of a [Service].
func KindOf(err error) Kind {
	for _, k := range kinds {
		if errors.Is(err, k.class) {
			return k.kind
		}
	}
	return Internal
}

// Told is what the caller may know of an error, and whether that is all there is to
// know: one who is not of this machine learns neither what went wrong inside, nor
// anything that has a path of this machine in it.
func (c Caller) Told(err error) (text string, all bool) {
	kind := KindOf(err)
	switch {
	case !c.Remote:
	case kind == Internal:
		return "internal error; the log of the service says more", false
	case kind == Unavailable && !errors.Is(err, ErrDraining):
		return "not available now; try again later", false
	case namesPath(err):
		return "refused; the log of the service says more", false
	}
	return strings.ToValidUTF8(err.Error(), "\uFFFD"), true
}

// namesPath reports whether an error has an absolute path of this machine in it.
func namesPath(err error) bool {
	var path *fs.PathError
	var link *os.LinkError
	return errors.As(err, &path) && filepath.IsAbs(path.Path) ||
		errors.As(err, &link) && (filepath.IsAbs(link.Old) || filepath.IsAbs(link.New))
}
