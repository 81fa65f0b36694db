package runtimes

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Time limits of a download. There is none on the whole: a slow line may take
// as long as it moves.
const (
	dialTimeout   = 30 * time.Second
	headerTimeout = 60 * time.Second
	stallTimeout  = 60 * time.Second // without a single byte of the body
)

// maxRedirects is how many redirects a download follows, each to https again.
const maxRedirects = 5

// errStalled ends a download whose body has stopped coming.
var errStalled = errors.New("nothing was received for a minute")

// newClient returns the client for https sources. It shares nothing with
// [http.DefaultClient], whose settings belong to the program. It uses the proxy
// that the usual variables (HTTPS_PROXY, NO_PROXY) name; what arrives is checked
// against the pinned digest whoever carried it. A nil config is the default.
func newClient(config *tls.Config) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
			TLSClientConfig:        config,
			TLSHandshakeTimeout:    dialTimeout,
			ResponseHeaderTimeout:  headerTimeout,
			MaxResponseHeaderBytes: 64 << 10,
			DisableCompression:     true, // the digest is of the bytes as published
			DisableKeepAlives:      true, // one download, no idle connection after it
			ForceAttemptHTTP2:      true,
		},
		CheckRedirect: func(next *http.Request, via []*http.Request) error {
			switch {
			case next.URL.Scheme != "https":
				return fmt.Errorf("refused to follow a redirect to %s", quote(next.URL.Redacted()))
			case len(via) > maxRedirects:
				return fmt.Errorf("stopped after %d redirects", maxRedirects)
			default:
				return nil
			}
		},
	}
}

// fromHTTPS downloads a module, or the archive around it.
func (s *Store) fromHTTPS(ctx context.Context, d *Definition, to reporter, put putFunc) error {
	if wrong := badHTTPS(d.Source.HTTPS); wrong != "" {
		return fmt.Errorf("%w: source.https: %s", ErrInvalid, wrong)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.Source.HTTPS, http.NoBody)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return unavailable("download: %w: check the network; a runtime that is in the cache works offline", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return unavailable("download %s: the server answered %s", d.Source.HTTPS, quote(response.Status))
	}
	size := max(response.ContentLength, 0)
	if size > maxModule {
		return tooLarge()
	}
	alive := newWatchdog(response.Body, func() { cancel(errStalled) })
	defer alive.stop()
	body := to.count(&explainer{alive, ctx}, StageDownload, size)
	if !isArchive(d.Source.HTTPS) {
		return put(body, size)
	}
	return extract(body, d.Source.Path, put)
}

// watchdog is a reader that barks when no byte has come for [stallTimeout].
type watchdog struct {
	from  io.Reader
	timer *time.Timer
}

func newWatchdog(from io.Reader, bark func()) *watchdog {
	return &watchdog{from: from, timer: time.AfterFunc(stallTimeout, bark)}
}

func (w *watchdog) Read(b []byte) (int, error) {
	n, err := w.from.Read(b)
	if n > 0 {
		w.timer.Reset(stallTimeout)
	}
	return n, err
}

func (w *watchdog) stop() { w.timer.Stop() }

// explainer turns the failure of a download into one that says what to do, and
// names the cause where the download was ended on purpose.
type explainer struct {
	from io.Reader
	ctx  context.Context
}

func (e *explainer) Read(b []byte) (int, error) {
	n, err := e.from.Read(b)
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	if cause := context.Cause(e.ctx); cause != nil {
		err = cause
	}
	return n, unavailable("download: %w: run the command again", err)
}
