package rpc

import (
	"context"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/sandboxd/sandboxd/plugins/service"
)

// codeOf says what a caller should do about a kind of error.
func codeOf(k service.Kind) codes.Code {
	switch k {
	case service.Invalid:
		return codes.InvalidArgument
	case service.Denied:
		return codes.PermissionDenied
	case service.NotFound:
		return codes.NotFound
	case service.Exists:
		return codes.AlreadyExists
	case service.Conflict:
		return codes.FailedPrecondition
	case service.Exhausted, service.Busy:
		return codes.ResourceExhausted
	case service.Unavailable:
		return codes.Unavailable
	case service.Canceled:
		return codes.Canceled
	case service.Late:
		return codes.DeadlineExceeded
	case service.Internal:
	}
	return codes.Internal
}

// resource is what a request is about, for the details of an error.
type resource struct{ kind, name string }

// fail words an error for a caller. One who is not of this machine is told neither
// what went wrong inside, nor anything that has a path of this machine in it.
func (s *Server) fail(ctx context.Context, c service.Caller, err error, about ...resource) error {
	if st, ok := status.FromError(err); ok { // this package's own, or nil
		return st.Err()
	}
	kind := service.KindOf(err)
	text, all := c.Told(err)
	if !all || kind == service.Internal {
		s.log.ErrorContext(ctx, "call failed", "caller", c.Name, "error", err)
	}
	var details []protoadapt.MessageV1
	if kind == service.Busy {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(service.RetryAfter(err))})
	}
	if kind == service.NotFound || kind == service.Exists {
		for _, r := range about {
			details = append(details, &errdetails.ResourceInfo{ResourceType: r.kind, ResourceName: validText(r.name)})
		}
	}
	return withInfo(status.New(codeOf(kind), text), kind, details...).Err()
}

// Domain is that of the google.rpc.ErrorInfo by which callers tell what the service
// says from what becomes of a connection.
const Domain = "sandboxd.v1"

// withInfo adds details to an error.
func withInfo(st *status.Status, k service.Kind, details ...protoadapt.MessageV1) *status.Status {
	info := &errdetails.ErrorInfo{Reason: reasons[k], Domain: Domain}
	with, err := st.WithDetails(append([]protoadapt.MessageV1{info}, details...)...)
	if err != nil {
		return st
	}
	return with
}

// reasons are the kinds of errors for programs.
var reasons = map[service.Kind]string{
	service.Internal: "INTERNAL", service.Invalid: "INVALID", service.Denied: "DENIED", service.NotFound: "NOT_FOUND",
	service.Exists: "EXISTS", service.Conflict: "CONFLICT", service.Exhausted: "EXHAUSTED", service.Busy: "BUSY",
	service.Unavailable: "UNAVAILABLE", service.Canceled: "CANCELED", service.Late: "LATE",
}

// badField refuses a request for one of its fields.
func badField(field, problem string) error {
	return withInfo(status.New(codes.InvalidArgument, field+": "+problem), service.Invalid, &errdetails.BadRequest{
		FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: field, Description: problem}},
	}).Err()
}

// unauthenticated is what a caller whom nobody knows is answered.
func unauthenticated(err error) error {
	if st, ok := status.FromError(err); ok {
		return st.Err()
	}
	return status.Error(codes.Unauthenticated, err.Error())
}
