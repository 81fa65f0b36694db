package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path/filepath"
	"time"

	"github.com/sandboxd/sandboxd/host/audit"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// Audit keeps records of calls. [audit.Writer] is one.
type Audit interface {
	// Record keeps r. It is called once for each call, just before its caller gets
	// an answer, from many goroutines, and holds that answer up. With an error
	// the caller gets no result.
	Record(r audit.Record) error
}

// record describes a call that came to result or err. A hostile guest has a say in
// the names of its files and in how many there are; package audit bounds and
// escapes them. What it prints, and the messages of its errors, are not recorded;
// nor are the program's arguments and variables, in which people put secrets.
func (d *decided) record(r *Request, result *Result, err error, started time.Time) audit.Record {
	a := audit.Record{
		Event:           audit.EventExecution,
		Time:            started,
		Caller:          r.Caller,
		Status:          audit.StatusRefused,
		Runtime:         r.Language,
		Profile:         r.Profile,
		Filename:        r.Filename,
		CodeBytes:       len(r.Code),
		DurationSeconds: time.Since(started).Seconds(),
		Workspace:       r.Workspace,
		Session:         r.Session,
	}
	if len(r.Code) <= MaxCode {
		sum := sha256.Sum256(r.Code)
		a.CodeSHA256 = hex.EncodeToString(sum[:])
	}
	if d.definition != nil {
		a.Runtime, a.ModuleSHA256 = d.definition.Name, d.definition.Source.SHA256
	}
	if d.profile != nil {
		a.Profile, a.Limits, a.Mounts = d.profile.Name, limitsOf(d.profile), mountsOf(d.profile)
	}
	if err != nil {
		a.ErrorClass, a.Error = classOf(err), err.Error()
		return a
	}
	a.Status, a.ExitCode = string(result.Status), result.ExitCode
	a.Fuel, a.MemoryBytes = result.FuelConsumed, result.MemoryBytes
	a.StdoutTruncated, a.StderrTruncated = result.StdoutTruncated, result.StderrTruncated
	a.FilesCreated = pathsOf(result.FilesCreated, filePath)
	a.FilesModified = pathsOf(result.FilesModified, filePath)
	a.FilesDeleted = pathsOf(result.FilesDeleted, deletedPath)
	a.FilesOmitted = result.FilesOmitted
	a.Requests = requestsOf(result.Network)
	a.Tools = toolsOf(result.Tools)
	return a
}

// pathsOf are the names of files that a result lists.
func pathsOf[F any](files []F, path func(F) string) audit.Paths {
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = path(f)
	}
	return audit.PathsOf(paths)
}

func filePath(f File) string           { return f.Path }
func deletedPath(f DeletedFile) string { return f.Path }

func limitsOf(p *policies.Profile) *audit.Limits {
	return &audit.Limits{
		Fuel:           p.Fuel,
		MemoryBytes:    uint64(p.Memory),
		StdoutBytes:    uint64(p.Stdout),
		StderrBytes:    uint64(p.Stderr),
		TimeoutSeconds: time.Duration(p.Timeout).Seconds(),
		DiskQuotaBytes: uint64(p.Disk.Quota),
		DiskFiles:      p.Disk.Files,
		DiskFileSize:   uint64(p.Disk.Largest()),
		DiskDepth:      p.Disk.Depth,
		DiskOpenFiles:  p.Disk.OpenFiles,
		OutputLimit:    p.OutputLimit,
	}
}

func mountsOf(p *policies.Profile) audit.Mounts {
	m := audit.Mounts{Count: len(p.Mounts)}
	for _, mount := range p.Mounts {
		m.Mounts = append(m.Mounts, audit.Mount{Host: filepath.Join(mount.Host, mount.File), Guest: mount.Guest, Writable: mount.Writable})
	}
	return m
}

func requestsOf(all []NetworkRequest) audit.Requests {
	r := audit.Requests{Count: len(all)}
	for _, q := range all {
		r.Requests = append(r.Requests, audit.Request{
			Method: q.Method, URL: q.Origin + q.Path, Status: q.Status, Sent: q.Sent, Received: q.Received, Refused: q.Refused,
		})
	}
	return r
}

func toolsOf(all []ToolCall) audit.Tools {
	t := audit.Tools{Count: len(all)}
	for _, c := range all {
		t.Calls = append(t.Calls, audit.ToolCall{
			Name: c.Name, Outcome: c.Outcome, DurationSeconds: c.DurationSeconds, Sent: c.Sent, Received: c.Received,
		})
	}
	return t
}

// classOf names the class of an error of Execute, as docs/audit.md lists them.
func classOf(err error) string {
	switch {
	case errors.Is(err, ErrInvalid), errors.Is(err, policies.ErrInvalid):
		return "invalid"
	case errors.Is(err, policies.ErrDenied):
		return "denied"
	case errors.Is(err, runtimes.ErrNotFound), errors.Is(err, policies.ErrNotFound):
		return "not_found"
	case errors.Is(err, ErrBusy):
		return "busy"
	case errors.Is(err, ErrClosed):
		return "closed"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "canceled"
	}
	return "internal"
}
