package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/sandboxd/sandboxd/plugins/mcp"
	"github.com/sandboxd/sandboxd/plugins/service"
)

// minToken is the shortest bearer token, in bytes: one that cannot be guessed is longer.
const minToken = 16

// tokenVariable holds the token where no file is named.
const tokenVariable = "SANDBOXD_MCP_TOKEN" //nolint:gosec // a name, not a secret

// listen opens the listener that the flags ask for; nil if they ask for none.
func (s *agents) listen() (net.Listener, error) {
	f := s.flags
	if f.http == "" {
		if f.tokenFile != "" || f.noToken || len(f.origins) > 0 {
			return nil, errors.New("--token-file, --no-token and --origin are about HTTP; say where to listen with --http")
		}
		return nil, nil //nolint:nilnil // none is an answer
	}
	if f.client != "" {
		return nil, errors.New("--client is about standard input and output; over HTTP the token says who it is")
	}
	token, err := s.token()
	if err != nil {
		return nil, err
	}
	s.secret = token
	if (token == nil) != f.noToken {
		if f.noToken {
			return nil, fmt.Errorf("--no-token: there is a token, in --token-file or $%s; leave one of them out", tokenVariable)
		}
		return nil, fmt.Errorf("--http needs a bearer token: put one into a file for --token-file, or into $%s; --no-token does without on the loopback interface", tokenVariable)
	}
	listener, err := net.Listen("tcp", f.http) //nolint:noctx // it waits for nothing
	if err != nil {
		return nil, fmt.Errorf("--http: %w", err)
	}
	address, err := netip.ParseAddrPort(listener.Addr().String())
	if err != nil || !address.Addr().Unmap().IsLoopback() {
		switch {
		case f.noToken:
			_ = listener.Close()
			return nil, fmt.Errorf("--no-token: %v is not the loopback interface, and whoever reaches it could run programs; use a token", listener.Addr())
		default:
			s.log.Warn("tokens and programs cross the network unencrypted: put a proxy with TLS before it, or use \"sandboxd serve\"", "address", listener.Addr().String())
		}
	}
	return listener, nil
}

// token reads the bearer token, as its hash; nil if there is none.
func (s *agents) token() ([]byte, error) {
	text, from := []byte(s.app.getenv(tokenVariable)), "$"+tokenVariable
	if s.flags.tokenFile != "" {
		var err error
		if text, err = os.ReadFile(s.flags.tokenFile); err != nil {
			return nil, fmt.Errorf("--token-file: %w", err)
		}
		from = s.flags.tokenFile
	}
	text = bytes.TrimSpace(text)
	if len(text) == 0 && s.flags.tokenFile == "" {
		return nil, nil
	}
	if len(text) < minToken {
		return nil, fmt.Errorf("the token in %s has %d bytes, and needs %d or more: make one with \"openssl rand -hex 32\"", from, len(text), minToken)
	}
	sum := sha256.Sum256(text)
	return sum[:], nil
}

// authenticate lets in who shows the token.
func (s *agents) authenticate(r *http.Request) (service.Caller, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(sum[:], s.secret) != 1 {
		return service.Caller{}, service.ErrDenied
	}
	// Sessions belong to the token: who shows another one finds none of them.
	return s.caller(agentOwner + "-token-" + hex.EncodeToString(s.secret[:6])), nil
}

// serveHTTP serves clients over HTTP until ctx ends.
func (s *agents) serveHTTP(ctx context.Context, listener net.Listener, server *mcp.Server) error {
	o := mcp.HTTPOptions{Origins: s.flags.origins, Anonymous: s.caller(agentOwner + "-connection")}
	if s.secret != nil {
		o.Authenticate = s.authenticate
	}
	mux := http.NewServeMux()
	mux.Handle(mcp.Path, server.Handler(o))
	web := &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: log.New(discard{}, "", 0), // it tells what clients do wrong
	}
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(listener) }()
	s.app.note("serving agents at http://%s%s", listener.Addr(), mcp.Path)
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	err := web.Close()
	if failed := <-ended; !errors.Is(failed, http.ErrServerClosed) {
		err = errors.Join(err, failed)
	}
	return err
}

// discard takes what nobody reads.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
