package runtimes

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
)

// secureServer serves handler over https and returns a store that trusts it,
// and a definition whose source is path on it.
func secureServer(t *testing.T, path string, handler http.HandlerFunc) (*Store, *Definition) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // refused certificates are the point of a test
	server.StartTLS()
	t.Cleanup(server.Close)
	s := newStore(t)
	trusted := x509.NewCertPool()
	trusted.AddCert(server.Certificate())
	s.client = newClient(&tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12})
	d := fileDefinition()
	d.Source = Source{HTTPS: server.URL + path, SHA256: digestOf(testModule)}
	if isArchive(path) {
		d.Source.Path = "lib/lang.wasm"
	}
	return s, d
}

func serve(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) }
}

func TestHTTPSSources(t *testing.T) {
	archive := archiveOf(t, member{name: "lib/lang.wasm", data: string(testModule)})
	tests := []struct {
		name, path string
		handler    http.HandlerFunc
	}{
		{"a module", "/lang.wasm", serve(testModule)},
		{"an archive", "/lang.tar.gz", serve(archive)},
		{"a redirect", "/a.wasm", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/a.wasm" {
				http.Redirect(w, r, "/b", http.StatusFound)
				return
			}
			_, _ = w.Write(testModule)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, d := secureServer(t, tt.path, tt.handler)
			data, err := s.Load(t.Context(), d, nil)
			if err != nil || !bytes.Equal(data, testModule) {
				t.Errorf("got %d bytes, %v", len(data), err)
			}
			wantCache(t, s, d.Source.SHA256)
		})
	}
}

func TestHTTPSFailuresExplainThemselves(t *testing.T) {
	plain := httptest.NewServer(serve(testModule))
	t.Cleanup(plain.Close)
	tests := []struct {
		name, path string
		handler    http.HandlerFunc
		class      error
		want       string
	}{
		{"not there", "/x.wasm", http.NotFound, ErrUnavailable, `the server answered "404 Not Found"`},
		{"other bytes", "/x.wasm", serve([]byte("other")), ErrDigest, "pins " + digestOf(testModule)},
		{"a page instead of an archive", "/x.tgz", serve([]byte("<html>")), ErrUnavailable, "the archive is damaged or was cut short"},
		{"an archive without it", "/x.tgz", serve(archiveOf(t)), ErrInvalid, `there is no "lib/lang.wasm" in the archive`},
		{"a redirect to plain http", "/x.wasm", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, plain.URL, http.StatusFound)
		}, ErrUnavailable, "refused to follow a redirect to \"http://"},
		{"redirects without an end", "/0.wasm", func(w http.ResponseWriter, r *http.Request) {
			n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/"), ".wasm"))
			if err != nil || n > maxRedirects {
				t.Errorf("redirect %d was followed to %s, %v", n, r.URL.Path, err)
			}
			http.Redirect(w, r, fmt.Sprintf("/%d.wasm", n+1), http.StatusFound)
		}, ErrUnavailable, "stopped after 5 redirects"},
		{"a length over the cap", "/x.wasm", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(maxModule+1))
		}, ErrInvalid, "larger than 512 MiB"},
		{"an archive with a length over the cap", "/x.tgz", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(maxModule+1))
		}, ErrInvalid, "larger than 512 MiB"},
		{"cut short", "/x.wasm", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(testModule)))
			_, _ = w.Write(testModule[:1000])
		}, ErrUnavailable, "run the command again"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, d := secureServer(t, tt.path, tt.handler)
			_, err := s.Fetch(t.Context(), d, nil)
			if !errors.Is(err, tt.class) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			wantCache(t, s)
		})
	}
}

func TestHTTPSNeedsAKnownCertificate(t *testing.T) {
	s, d := secureServer(t, "/x.wasm", serve(testModule))
	s.client = newClient(nil)
	_, err := s.Fetch(t.Context(), d, nil)
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("got %v", err)
	}
}

func TestHTTPSNeverSpeaksPlainHTTP(t *testing.T) {
	server := httptest.NewServer(serve(testModule))
	t.Cleanup(server.Close)
	s, d := newStore(t), fileDefinition()
	d.Source = Source{HTTPS: server.URL + "/x.wasm", SHA256: digestOf(testModule)}
	if _, err := s.Fetch(t.Context(), d, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("got %v, want class ErrInvalid", err)
	}
}

func TestHTTPSStopsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s, d := secureServer(t, "/x.wasm", func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(testModule[:reportStep])
		_ = http.NewResponseController(w).Flush()
		cancel()
		<-r.Context().Done()
	})
	if _, err := s.Fetch(ctx, d, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
	wantCache(t, s)
}

// blocked is a body that sends one byte and then nothing.
type blocked struct {
	sent bool
	ctx  context.Context
}

func (b *blocked) Read(p []byte) (int, error) {
	if !b.sent {
		b.sent = true
		return copy(p, "x"), nil
	}
	<-b.ctx.Done()
	return 0, b.ctx.Err()
}

func TestAStalledDownloadEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		dog := newWatchdog(&blocked{ctx: ctx}, func() { cancel(errStalled) })
		defer dog.stop()
		body := &explainer{dog, ctx}
		if n, err := body.Read(make([]byte, 8)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		_, err := body.Read(make([]byte, 8))
		want := "download: nothing was received for a minute: run the command again"
		if err == nil || err.Error() != want || !errors.Is(err, ErrUnavailable) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	})
}
