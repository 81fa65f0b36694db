package httpd

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sandboxd/sandboxd/plugins/service"
	"github.com/sandboxd/sandboxd/sdk/sandboxdv1/sandboxdv1connect"
)

// noBrowsers refuses what a page in a browser made it send: a page must not use what
// its reader may. Programs send neither header.
func noBrowsers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site := r.Header.Get("Sec-Fetch-Site")
		if r.Header.Get("Origin") != "" || site != "" && site != "none" {
			writeError(w, http.StatusForbidden, "denied", "pages in browsers are not served")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// onlyLoopbackNames refuses requests for names that are not this machine's own, by
// which a name server can lead somebody else's page here (DNS rebinding).
func onlyLoopbackNames(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopbackName(r.Host) {
			writeError(w, http.StatusForbidden, "denied", "call this machine localhost, 127.0.0.1 or [::1]")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLoopbackName reports whether a Host header names the loopback interface.
func isLoopbackName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// paced lets no connection pause for long while it sends its request or reads its
// answer. Requests that are a conversation may: their callers think in between.
func (s *Server) paced(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		if r.URL.Path != sandboxdv1connect.SandboxExecuteWithToolsProcedure {
			r = r.WithContext(r.Context()) // net/http goes by the body of its own request
			r.Body = &pacedBody{r.Body, control, s.pause, w.Header()}
		}
		next.ServeHTTP(&pacedWriter{w, control, s.pause}, r)
		// What is left of the body is read by net/http, which has no limit of its own.
		_ = control.SetReadDeadline(time.Now().Add(s.pause))
	})
}

type pacedBody struct {
	io.ReadCloser
	control *http.ResponseController
	pause   time.Duration
	answer  http.Header
}

// Read gives the connection time for each piece. Afterwards there is no limit: waiting
// for a program is no pause of the caller's.
func (b *pacedBody) Read(p []byte) (int, error) {
	if err := b.control.SetReadDeadline(time.Now().Add(b.pause)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	n, err := b.ReadCloser.Read(p)
	_ = b.control.SetReadDeadline(time.Time{})
	if err != nil && !errors.Is(err, io.EOF) {
		b.answer.Set("Connection", "close") // there is half a request on it
	}
	return n, err
}

// budgeted lets all requests together hold no more than maxHeld bytes of messages, of
// which each is in memory as a whole before it is looked at. Uploads are not: they go to
// disk as they come.
func (s *Server) budgeted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case sandboxdv1connect.SandboxWriteFileProcedure, sandboxdv1connect.SandboxUploadWorkspaceProcedure,
			sandboxdv1connect.SandboxExecuteWithToolsProcedure:
			next.ServeHTTP(w, r)
			return
		}
		if r.Method == http.MethodPut {
			next.ServeHTTP(w, r)
			return
		}
		body := &heldBody{ReadCloser: r.Body, held: &s.held}
		defer body.release()
		r = r.WithContext(r.Context()) // net/http goes by the body of its own request
		r.Body = body
		next.ServeHTTP(w, r)
	})
}

// errHeld is of kind busy.
var errHeld = &service.BusyError{Reason: "the messages of all requests take too much memory", After: time.Second}

// Close reads what is left, which takes no longer than a piece.
func (b *pacedBody) Close() error {
	_ = b.control.SetReadDeadline(time.Now().Add(b.pause))
	defer func() { _ = b.control.SetReadDeadline(time.Time{}) }()
	return b.ReadCloser.Close()
}

type heldBody struct {
	io.ReadCloser
	held *atomic.Int64 // by all
	mine int64
}

func (b *heldBody) Read(p []byte) (int, error) {
	if b.held.Load() > maxHeld {
		return 0, errHeld
	}
	n, err := b.ReadCloser.Read(p)
	b.held.Add(int64(n))
	b.mine += int64(n)
	return n, err
}

func (b *heldBody) release() { b.held.Add(-b.mine) }

type pacedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	pause   time.Duration
}

func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *pacedWriter) Write(p []byte) (int, error) {
	if err := w.extend(); err != nil {
		return 0, err
	}
	return w.ResponseWriter.Write(p)
}

// Flush implements [http.Flusher], which Connect asks for.
func (w *pacedWriter) Flush() {
	if w.extend() == nil {
		_ = w.control.Flush() // the next Write fails as well
	}
}

func (w *pacedWriter) extend() error {
	err := w.control.SetWriteDeadline(time.Now().Add(w.pause))
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}
