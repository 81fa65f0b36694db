package httpd

import (
	"encoding/json"
	"net/http"
	"net/http/pprof"

	"connectrpc.com/connect"

	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
	"github.com/sandboxd/sandboxd/sdk/sandboxdv1/sandboxdv1connect"
)

// handler is everything that is served, locally or to a network.
func (s *Server) handler(local bool, procedures pb.SandboxServer) http.Handler {
	known := http.NewServeMux()
	known.Handle(sandboxdv1connect.NewSandboxHandler(&connected{procedures},
		connect.WithReadMaxBytes(maxBody), connect.WithCompression("gzip", nil, nil)))
	known.HandleFunc("POST /v1/execute", s.execute)
	known.HandleFunc("GET /v1/sessions", s.listSessions)
	known.HandleFunc("POST /v1/sessions", s.createSession)
	known.HandleFunc("GET /v1/sessions/{id}", s.getSession)
	known.HandleFunc("DELETE /v1/sessions/{id}", s.destroySession)
	known.HandleFunc("GET /v1/sessions/{id}/files", s.listFiles)
	known.HandleFunc("GET /v1/sessions/{id}/files/{path...}", s.readFile)
	known.HandleFunc("PUT /v1/sessions/{id}/files/{path...}", s.writeFile)
	known.HandleFunc("DELETE /v1/sessions/{id}/files/{path...}", s.deleteFile)
	known.HandleFunc("GET /v1/about", s.about)
	if s.agents != nil {
		known.Handle(AgentsPath, s.agents)
	}
	served := http.NewServeMux()
	served.Handle("/", s.whenReady(known))
	served.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if !identityOf(r.Context()).metrics {
			writeError(w, http.StatusForbidden, "denied", "this token may not read metrics")
			return
		}
		s.metrics.handler.ServeHTTP(w, r)
	})
	if local { // profiles hold what others ran
		served.HandleFunc("/debug/pprof/", onlyLocal(pprof.Index))
		served.HandleFunc("/debug/pprof/profile", onlyLocal(pprof.Profile))
		served.HandleFunc("/debug/pprof/symbol", onlyLocal(pprof.Symbol))
		served.HandleFunc("/debug/pprof/trace", onlyLocal(pprof.Trace))
	}
	all := http.NewServeMux()
	all.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	all.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !s.ready.Load() {
			writeJSON(w, http.StatusServiceUnavailable, map[string]string{"status": "not ready"})
			return
		}
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	all.Handle("/", s.authenticated(local, s.budgeted(served)))
	return noBrowsers(s.paced(all))
}

// whenReady refuses requests while runtimes are prepared, and when the end has come.
func (s *Server) whenReady(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.ready.Load() {
			w.Header().Set("Retry-After", "1")
			writeError(w, http.StatusServiceUnavailable, "unavailable", "not ready; try again later")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func onlyLocal(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !identityOf(r.Context()).local {
			writeError(w, http.StatusForbidden, "denied", "only for the user that sandboxd runs as")
			return
		}
		next(w, r)
	}
}

// About says what serves, and with what configuration.
type About struct {
	Version string `json:"version"`
	// Configuration identifies the policy and the runtimes: two daemons, or a daemon
	// and a command line, that have the same one give the same results. Only local
	// callers are told.
	Configuration string `json:"configuration,omitempty"`
}

func (s *Server) about(w http.ResponseWriter, r *http.Request) {
	a := About{Version: s.version}
	if identityOf(r.Context()).local {
		a.Configuration = s.configuration()
	}
	writeJSON(w, http.StatusOK, a)
}

func writeJSON(w http.ResponseWriter, code int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(value) // a caller who is gone needs no answer
}
