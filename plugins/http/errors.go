package httpd

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"

	"github.com/sandboxd/sandboxd/plugins/service"
)

// Fault says why there is no result.
type Fault struct {
	// Kind is the class of the error, such as "busy".
	Kind    string `json:"kind"`
	Message string `json:"message"`
	// RetryAfterSeconds is when to come again, where that helps.
	RetryAfterSeconds float64 `json:"retry_after_seconds,omitempty"`
}

// problem is the answer to a request that failed.
type problem struct {
	Error Fault `json:"error"`
}

func writeError(w http.ResponseWriter, code int, kind, message string) {
	var p problem
	p.Error.Kind, p.Error.Message = kind, message
	writeJSON(w, code, p)
}

// statusOf words a kind of error in HTTP's terms.
func statusOf(k service.Kind) (code int, kind string) {
	switch k {
	case service.Invalid:
		return http.StatusBadRequest, "invalid"
	case service.Denied:
		return http.StatusForbidden, "denied"
	case service.NotFound:
		return http.StatusNotFound, "not_found"
	case service.Exists:
		return http.StatusConflict, "exists"
	case service.Conflict:
		return http.StatusConflict, "conflict"
	case service.Exhausted:
		return http.StatusInsufficientStorage, "exhausted"
	case service.Busy:
		return http.StatusTooManyRequests, "busy"
	case service.Unavailable:
		return http.StatusServiceUnavailable, "unavailable"
	case service.Canceled:
		return 499, "canceled" // as nginx has it: the caller is gone
	case service.Late:
		return http.StatusGatewayTimeout, "late"
	case service.Internal:
	}
	return http.StatusInternalServerError, "internal"
}

// problemOf words an error for the caller of r, and logs what it is not told.
func (s *Server) problemOf(r *http.Request, err error) (code int, p problem) {
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		p.Error.Kind, p.Error.Message = "invalid", fmt.Sprintf("the body has more than %d bytes", large.Limit)
		return http.StatusRequestEntityTooLarge, p
	}
	kind := service.KindOf(err)
	code, p.Error.Kind = statusOf(kind)
	text, told := identityOf(r.Context()).caller.Told(err)
	if !told || kind == service.Internal {
		s.log.ErrorContext(r.Context(), "request failed", "caller", identityOf(r.Context()).caller.Name, "error", err)
	}
	p.Error.Message = text
	if kind == service.Busy {
		p.Error.RetryAfterSeconds = service.RetryAfter(err).Seconds()
	}
	return code, p
}

// fail answers a request with an error.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	code, p := s.problemOf(r, err)
	if after := p.Error.RetryAfterSeconds; after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(after))))
	}
	writeJSON(w, code, p)
}

// decode reads a JSON body, strictly: a misspelled limit must not become no limit.
func decode(w http.ResponseWriter, r *http.Request, to any) error {
	if r.ContentLength > maxBody { // before a caller who asked is told to go on
		return &http.MaxBytesError{Limit: maxBody}
	}
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	dec.DisallowUnknownFields()
	err := dec.Decode(to)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large), errors.Is(err, errHeld):
		return err
	case err != nil:
		return fmt.Errorf("%w: read the body: %w", service.ErrInvalid, err)
	case dec.More():
		return fmt.Errorf("%w: read the body: more than one JSON value", service.ErrInvalid)
	}
	return nil
}
