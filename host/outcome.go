package host

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sandboxd/sandboxd/host/image"
)

// Exit codes of calls that the guest did not end itself. They follow the shell's
// and timeout(1)'s habits: 124 for time, 128+9 for being killed, 128+6 for an
// abort.
const (
	exitTimeout  = 124
	exitKilled   = 137
	exitTrap     = 134
	exitInternal = 125
	exitCanceled = 130
)

// result assembles what the call gave. err is the engine's account of how the
// guest ended; it is looked at only where the host recorded no cause itself.
func (c *call) result(err error) *Result {
	in := c.in
	end := ending{}
	switch {
	case in.ended != nil:
		end = *in.ended
	case err != nil && strings.HasPrefix(err.Error(), "wasm error: "):
		end = ending{status: StatusError, exitCode: exitTrap, err: err}
	case errors.Is(err, errNoReturn):
		end = ending{status: StatusError, exitCode: 1}
	case err != nil:
		end = ending{status: StatusInternal, err: err}
	default:
		end = ending{status: StatusOK}
	}
	if end.status == StatusOK && end.exitCode != 0 {
		end.status = StatusError
	}

	r := c.partial(end.status)
	r.ExitCode = exitCodeOf(end)
	r.Success = end.status == StatusOK
	r.FuelConsumed = in.fuel.consumed()
	r.MemoryBytes = in.region.Size()
	r.MemPages = r.MemoryBytes / image.PageSize
	changes := in.files.Journal()
	r.FilesCreated, r.FilesModified, r.FilesDeleted = orEmpty(changes.Created), orEmpty(changes.Modified), orEmpty(changes.Deleted)
	r.FuelAnalysis = analyse(r.FuelConsumed, r.FuelBudget)
	if !r.Success {
		c.explain(r, end)
	}
	return r
}

// partial is the part of a result that can be told while the guest still runs.
func (c *call) partial(status Status) *Result {
	r := &Result{
		Status:     status,
		FuelBudget: c.profile.Fuel,
		Runtime:    c.plugin.definition.Name,
		Profile:    c.profile.Name,
	}
	r.Stdout, r.StdoutTruncated = c.in.stdout.text()
	r.Stderr, r.StderrTruncated = c.in.stderr.text()
	r.FilesCreated, r.FilesModified, r.FilesDeleted = []string{}, []string{}, []string{}
	return r
}

// abandoned is the result of a call whose guest did not return in time. What
// the guest is still using is left out.
func (c *call) abandoned(status Status) *Result {
	c.in.stdout.detach()
	c.in.stderr.detach()
	r := c.partial(status)
	r.ExitCode = exitCodeOf(ending{status: status})
	r.FuelAnalysis = FuelAnalysis{Status: "unknown"}
	r.Error = guestError(string(status), "the program was abandoned inside a call to the host that did not return")
	return r
}

// orEmpty keeps null out of a result's JSON.
func orEmpty(names []string) []string {
	if names == nil {
		return []string{}
	}
	return names
}

func exitCodeOf(e ending) int {
	switch e.status {
	case StatusOK, StatusError:
		return e.exitCode
	case StatusTimeout:
		return exitTimeout
	case StatusCanceled:
		return exitCanceled
	case StatusOutOfFuel, StatusOutOfMemory, StatusDiskQuota, StatusOutputLimit:
		return exitKilled
	case StatusInternal:
		return exitInternal
	}
	return exitInternal
}

// explain fills in the error of a failed call. A program that failed because the
// host refused it memory or disk failed of that limit: the refusal is the host's
// own record, and the guest's report only tells it from a program that coped
// with the refusal and failed of something else later.
func (c *call) explain(r *Result, end ending) {
	said := c.in.report.guestError()
	if end.status == StatusError {
		// Without a report, a program that chose its exit code coped; one that was
		// cut short did not.
		cutShort := said == nil && c.in.ended == nil
		switch {
		case c.in.region.Refused() && (cutShort || said != nil && c.plugin.driver.outOfMemory(said)):
			r.Status = StatusOutOfMemory
			r.ExitCode = exitKilled
		case c.in.refused != 0 && (cutShort || said != nil && c.plugin.driver.outOfDisk(said)):
			r.Status = StatusDiskQuota
			r.ExitCode = exitKilled
		}
	}
	p := c.profile
	switch r.Status {
	case StatusError:
		r.Error = said
		if said == nil && end.err != nil {
			r.Error = guestError("trap", trapMessage(end.err))
		} else if said == nil {
			r.Error = guestError("exit", fmt.Sprintf("the program ended with exit code %d", r.ExitCode))
		}
		return
	case StatusOutOfFuel:
		r.Error = guestError("", fmt.Sprintf("the program used up its fuel: %d instructions (profile %q, key \"fuel\")", p.Fuel, p.Name))
	case StatusTimeout:
		r.Error = guestError("", fmt.Sprintf("the program was stopped after %v (profile %q, key \"timeout\")", p.Timeout, p.Name))
	case StatusCanceled:
		r.Error = guestError("", "the caller canceled the program")
	case StatusOutputLimit:
		r.Error = guestError("", fmt.Sprintf("the program wrote more than %v to stdout or %v to stderr (profile %q, keys \"stdout\" and \"stderr\")", p.Stdout, p.Stderr, p.Name))
	case StatusOutOfMemory:
		r.Error = guestError("", fmt.Sprintf("the program needed more than %v of memory (profile %q, key \"memory\")", p.Memory, p.Name))
	case StatusDiskQuota:
		r.Error = guestError("", fmt.Sprintf("the program reached a file limit: %s (profile %q, key \"disk\")", c.in.refused, p.Name))
	case StatusInternal:
		c.plugin.log.Error("call failed in the host", "runtime", r.Runtime, "error", end.err)
		r.Error = guestError("", "sandboxd failed; its log has the details")
	case StatusOK:
	}
	r.Error.Type = string(r.Status)
	if said != nil {
		r.Error.Line = said.Line
	}
}

func guestError(kind, message string) *GuestError {
	return &GuestError{Type: kind, Message: message, Guidance: []string{}}
}

// trapMessage is the first line of the engine's message: what follows is a stack
// trace of function numbers.
func trapMessage(err error) string {
	line, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "wasm error: "), "\n")
	return line
}
