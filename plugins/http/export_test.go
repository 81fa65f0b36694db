package httpd

import "time"

// SetPace is for servers that do not serve yet.
func (s *Server) SetPace(headerWait, pause time.Duration) { s.headerWait, s.pause = headerWait, pause }
