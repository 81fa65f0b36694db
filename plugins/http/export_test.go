package httpd

import (
	"net/http"
	"time"
)

// SetPace is for servers that do not serve yet.
func (s *Server) SetPace(headerWait, pause time.Duration) { s.headerWait, s.pause = headerWait, pause }

// Handler shows the metrics without a connection, which has a pace.
func (m *Metrics) Handler() http.Handler { return m.handler }
