package host

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/sandboxd/sandboxd/host/guestfs"
	"github.com/sandboxd/sandboxd/host/image"
	"github.com/sandboxd/sandboxd/policies"
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
// Files are hashed until then, and no longer than ctx.
func (c *call) result(ctx context.Context, until time.Time, err error) *Result {
	in := c.in
	end, exit := ending{}, guestExit(0)
	switch {
	case in.ended != nil:
		end = *in.ended
	case err != nil && isTrap(err):
		end = ending{status: StatusError, exitCode: exitTrap, err: err}
	case errors.As(err, &exit):
		end = ending{status: StatusOK, exitCode: int(exit)}
	case errors.Is(err, errNoReturn):
		end = ending{status: StatusError, exitCode: 1}
	case err != nil && c.plugin.blames(err):
		end = ending{status: StatusError, exitCode: exitTrap, err: err}
	case err != nil:
		end = ending{status: StatusInternal, err: err}
	default:
		end = ending{status: StatusOK}
	}
	var k kept
	stateError := ""
	if c.request.KeepState {
		if k, stateError = c.said(err); stateError == "" {
			end.exitCode = k.exitCode
		}
	}
	if end.status == StatusOK && end.exitCode != 0 {
		end.status = StatusError
	}

	r := c.partial(end.status)
	r.ExitCode = exitCodeOf(end)
	r.Success = end.status == StatusOK
	r.FuelConsumed = in.fuel.consumed()
	r.MemoryBytes = in.region.Size() - min(in.region.Size(), c.plugin.own())
	r.MemPages = r.MemoryBytes / image.PageSize
	r.list(in.files.Summary(ctx, guestfs.Bounds{Files: MaxFilesListed, Names: MaxFileNames, Hashed: MaxFilesHashed, Until: until}))
	in.shown.put(r)
	r.FuelAnalysis = analyse(r.FuelConsumed, r.FuelBudget)
	if in.profile != nil {
		r.FuelProfile = in.profile.Finish()
	}
	if r.FuelAnalysis.Recommendation != "" {
		r.FuelAnalysis.LikelyCauses = c.causes(r.FuelConsumed, r.FuelProfile)
	}
	if !r.Success {
		said := c.in.report.guestError()
		c.explain(r, end, said)
		c.advise(r, said, c.limitKey(r))
	}
	if r.StateError = stateError; c.request.KeepState && stateError == "" {
		c.save(ctx, until.Add(grace/4), r, k)
	}
	return r
}

// blames reports whether an error of the engine's is the guest's doing: Extism's
// functions panic where a plugin misuses them, and only what Go itself noticed can be
// a bug. Other modules cannot import functions that do so.
func (p *plugin) blames(err error) bool {
	_, plugin := p.driver.(exchanger)
	_, bug := errors.AsType[runtime.Error](err)
	return plugin && !bug && strings.Contains(err.Error(), "(recovered by wazero)")
}

// partial is the part of a result that can be told while the guest still runs.
func (c *call) partial(status Status) *Result {
	r := &Result{
		Status:     status,
		FuelBudget: c.profile.Fuel,
		Runtime:    c.plugin.definition.Name,
		Profile:    c.profile.Name,
		SessionID:  c.request.Session,
	}
	r.Stdout, r.StdoutTruncated = c.in.stdout.text()
	r.Stderr, r.StderrTruncated = c.in.stderr.text()
	r.FilesCreated, r.FilesModified, r.FilesDeleted = []File{}, []File{}, []DeletedFile{}
	if c.in.network != nil {
		r.Network = c.in.network.Records()
	}
	if c.in.tools != nil {
		r.Tools = c.in.tools.Records()
	}
	return r
}

// abandoned is the result of a call whose guest did not return in time. What
// the guest is still using is left out.
func (c *call) abandoned(status Status) *Result {
	c.in.stdout.detach()
	c.in.stderr.detach()
	r := c.partial(status)
	r.ExitCode = exitCodeOf(ending{status: status})
	r.FuelAnalysis = FuelAnalysis{Status: "unknown", LikelyCauses: []string{}}
	r.Abandoned = true
	if c.request.KeepState {
		r.StateError = "the program was abandoned"
	}
	r.Error = guestError(string(status), "the program was abandoned inside a call to the host that did not return")
	r.Error.Guidance = []string{"The program waited inside of sandboxd for longer than its time. Leave out the read or the request that did not end, or run it again."}
	return r
}

// list fills in what the guest did to files. No list becomes null in JSON.
func (r *Result) list(s guestfs.Summary) {
	for _, f := range s.Created {
		r.FilesCreated = append(r.FilesCreated, fileOf(f))
	}
	for _, f := range s.Modified {
		r.FilesModified = append(r.FilesModified, fileOf(f))
	}
	for _, path := range s.Deleted {
		r.FilesDeleted = append(r.FilesDeleted, DeletedFile{validPath(path)})
	}
	r.FilesOmitted = s.Omitted
}

func fileOf(f guestfs.File) File {
	return File{Path: validPath(f.Path), Size: f.Size, SHA256: f.SHA256}
}

// validPath makes a path fit for JSON and protobuf. A guest uses only names that
// are UTF-8, but it may rename a directory in which the host keeps others.
func validPath(path string) string {
	return strings.ToValidUTF8(path, "\uFFFD")
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
func (c *call) explain(r *Result, end ending, said *GuestError) {
	if end.status == StatusError {
		// Without a report, a program that chose its exit code coped; one that was
		// cut short did not.
		_, mute := c.plugin.driver.(starter)
		_, frank := c.plugin.driver.(teller)
		cutShort := said == nil && (c.in.ended == nil || mute || frank)
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
		r.Error = guestError("", fmt.Sprintf("the program reached a file limit: %s (profile %q, key %q)", c.in.refused, p.Name, diskKey(c.in.refused, p)))
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

// diskKey is the key of the limit that refused a program.
func diskKey(l guestfs.Limit, p *policies.Profile) string {
	switch {
	case l == guestfs.LimitFiles:
		return "disk.files"
	case l == guestfs.LimitFileSize && p.Disk.FileSize != 0:
		return "disk.file_size"
	default:
		return "disk.quota"
	}
}

func guestError(kind, message string) *GuestError {
	return &GuestError{Type: kind, Message: message, Guidance: []string{}}
}

// isTrap reports whether the engine's error is the guest's own: every one of those has
// a prefix, but for a stack overflow at one of the engine's ways to grow the stack.
func isTrap(err error) bool {
	text := err.Error()
	return strings.HasPrefix(text, "wasm error: ") || text == "stack overflow"
}

// trapMessage is the first line of the engine's message: what follows is a stack
// trace of function numbers.
func trapMessage(err error) string {
	line, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "wasm error: "), "\n")
	return line
}
