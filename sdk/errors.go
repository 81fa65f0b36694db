package sdk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The classes of errors, for errors.Is: what to do next. A context's own errors pass
// through unchanged.
var (
	ErrInvalid         = errors.New("invalid request")      // correct it; [Error.Field] may say where
	ErrDenied          = errors.New("permission denied")    // another profile, or another token
	ErrUnauthenticated = errors.New("not authenticated")    // a token is missing or wrong
	ErrNotFound        = errors.New("not found")            // no such session, turn, file, profile, runtime or execution
	ErrExists          = errors.New("exists already")       // choose another name
	ErrConflict        = errors.New("conflict")             // what is there stands in the way
	ErrExhausted       = errors.New("quota exhausted")      // make room
	ErrBusy            = errors.New("busy")                 // nothing was done: try again after [Error.RetryAfter]
	ErrUnavailable     = errors.New("unavailable")          // sandboxd cannot be reached, ends, or cannot fetch a runtime
	ErrInternal        = errors.New("sandboxd failed")      // its log says more
	ErrClosed          = errors.New("the client is closed") // by [Client.Close]
)

// Error is why sandboxd gave no result. It is one of the classes, for errors.Is.
type Error struct {
	// Class is one of the classes.
	Class error
	// Message is what sandboxd said.
	Message string
	// Field names the field of the protocol's message that is to blame, if one is.
	Field string
	// RetryAfter is how long to wait before the next attempt, with [ErrBusy].
	RetryAfter time.Duration
}

func (e *Error) Error() string { return "sandboxd: " + e.Message }

// Unwrap returns the class.
func (e *Error) Unwrap() error { return e.Class }

// CrashError is a call during which the plugin's process ended. The program may have
// run or not, so nothing is repeated; the next call finds a new process, in which
// sessions are as their last complete turn left them. It is [ErrUnavailable].
type CrashError struct {
	// State is how the process ended, such as "signal: killed".
	State string
	// Log is the end of what it wrote to its standard error.
	Log string
	// Err is what became of the call.
	Err error
}

func (e *CrashError) Error() string {
	return fmt.Sprintf("sandboxd: the plugin ended during the call (%s); the program may have run", e.State)
}

// Unwrap returns the cause and the class.
func (e *CrashError) Unwrap() []error { return []error{ErrUnavailable, e.Err} }

var classes = map[codes.Code]error{
	codes.InvalidArgument:    ErrInvalid,
	codes.PermissionDenied:   ErrDenied,
	codes.Unauthenticated:    ErrUnauthenticated,
	codes.NotFound:           ErrNotFound,
	codes.AlreadyExists:      ErrExists,
	codes.FailedPrecondition: ErrConflict,
	codes.ResourceExhausted:  ErrExhausted,
	codes.Unavailable:        ErrUnavailable,
	codes.Canceled:           context.Canceled, // of an execution, by its id
	codes.DeadlineExceeded:   context.DeadlineExceeded,
}

// said reports whether sandboxd itself gave an error, and not the connection.
func said(st *status.Status) bool {
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == domain {
			return true
		}
	}
	return false
}

// domain is that of sandboxd's own errors.
const domain = "sandboxd.v1"

// explain words what became of a call.
func (c *conn) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	st, ok := status.FromError(err)
	if !ok {
		return err
	}
	lost := st.Code() == codes.Unavailable || st.Code() == codes.Canceled // the connection, if sandboxd did not say it
	if c.crashed != nil && lost && !said(st) {
		if crash := c.crashed(err); crash != nil {
			return crash
		}
	}
	e := &Error{Class: classes[st.Code()], Message: st.Message()}
	if e.Class == nil {
		e.Class = ErrInternal
	}
	for _, detail := range st.Details() {
		switch d := detail.(type) {
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				e.Field = v.GetField()
			}
		case *errdetails.RetryInfo:
			e.RetryAfter = d.GetRetryDelay().AsDuration()
			if st.Code() == codes.ResourceExhausted {
				e.Class = ErrBusy
			}
		}
	}
	return e
}
