package httpd

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	"github.com/sandboxd/sandboxd/plugins/service"
	"github.com/sandboxd/sandboxd/policies"
)

// token is one who may call over the network.
type token struct {
	hash    [sha256.Size]byte
	caller  service.Caller
	metrics bool
}

// SetTokens says who may call over the network, from now on. Where a token says nothing
// of how much it may have under way, otherwise does.
func (s *Server) SetTokens(list []policies.Token, otherwise service.Limits) {
	tokens := make([]token, len(list))
	for i, t := range list {
		limits := otherwise
		limits.Rate, limits.Burst = t.Rate, t.Burst
		limits.SessionRate, limits.SessionBurst = t.SessionRate, t.SessionBurst
		if t.Concurrent > 0 {
			limits.Concurrent = t.Concurrent
		}
		if t.Queue > 0 {
			limits.Queue = t.Queue
		}
		tokens[i] = token{t.Hash, service.Caller{
			Name: t.Name, Owner: t.Owner, Profiles: t.Profiles, Remote: true, Limits: limits,
		}, t.Metrics}
	}
	s.tokens.Store(&tokens)
}

// find finds the token that a caller presents. It takes the same time whatever is
// presented: all hashes are compared, and hashing hides how alike two secrets are.
func (s *Server) find(secret string) (found token, ok bool) {
	hash := sha256.Sum256([]byte(secret))
	for _, t := range *s.tokens.Load() {
		if subtle.ConstantTimeCompare(hash[:], t.hash[:]) == 1 {
			found, ok = t, true
		}
	}
	return found, ok
}

// identity is a caller with what it may see besides.
type identity struct {
	caller  service.Caller
	metrics bool // and profiles of the process where local is set
	local   bool
}

type identityKey struct{}

func identityOf(ctx context.Context) identity {
	id, _ := ctx.Value(identityKey{}).(identity)
	return id
}

// CallerOf is whom a request came from, by the context of one that a [Server] let in.
func CallerOf(ctx context.Context) (service.Caller, error) {
	id, ok := ctx.Value(identityKey{}).(identity)
	if !ok {
		return service.Caller{}, errors.New("no caller")
	}
	return id.caller, nil
}

// authenticated lets those pass who are known: by their token, or, on a local
// connection, without one. There, a token makes a caller the less powerful one that it
// stands for, so that a proxy can hand requests on.
func (s *Server) authenticated(local bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := r.Header.Values("Authorization")
		id := identity{caller: service.Caller{Name: localCaller}, metrics: true, local: true}
		if !local || len(header) > 0 {
			found, ok := s.find(bearer(header))
			if !ok {
				s.metrics.unauthenticated.Inc()
				w.Header().Set("WWW-Authenticate", `Bearer realm="sandboxd"`)
				writeError(w, http.StatusUnauthorized, "unauthenticated", "a valid token is needed, as Authorization: Bearer TOKEN")
				return
			}
			id = identity{caller: found.caller, metrics: found.metrics}
		}
		leave, ok := s.enter(id.caller.Name)
		if !ok {
			w.Header().Set("Retry-After", "1")
			writeError(w, http.StatusTooManyRequests, "busy", "too many requests of yours are under way")
			return
		}
		defer leave()
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), identityKey{}, id)))
	})
}

// localCaller is what the audit log calls who comes by the Unix socket.
const localCaller = "socket"

// bearer is the token of an Authorization header; empty where there is not exactly one.
func bearer(header []string) string {
	if len(header) != 1 {
		return ""
	}
	scheme, secret, _ := strings.Cut(header[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return secret
}

// enter counts a request of a caller in.
func (s *Server) enter(name string) (leave func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.requests[name] >= maxRequests {
		return nil, false
	}
	s.requests[name]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.requests[name]--; s.requests[name] == 0 {
			delete(s.requests, name)
		}
	}, true
}
