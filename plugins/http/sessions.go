package httpd

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/host/workspace"
	"github.com/sandboxd/sandboxd/plugins/service"
)

// maxListed is the most entries in one answer; after= asks for more.
const maxListed = 1000

func (s *Server) listSessions(w http.ResponseWriter, r *http.Request) {
	list, err := s.service.Sessions(r.Context(), identityOf(r.Context()).caller)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	out := make([]*session.Session, len(list))
	for i, n := range list {
		out[i] = shown(r, n)
	}
	writeJSON(w, http.StatusOK, map[string]any{"sessions": out})
}

// shown is a session as the caller of r may see it: what damaged one is the operator's
// to know.
func shown(r *http.Request, n *session.Session) *session.Session {
	out := *n
	out.Owner = ""
	if identityOf(r.Context()).caller.Remote && out.Damaged != "" {
		out.Damaged = "what is stored of it cannot be read"
	}
	return &out
}

func (s *Server) createSession(w http.ResponseWriter, r *http.Request) {
	var q struct {
		ID       string          `json:"id"`
		Language string          `json:"language"`
		Profile  string          `json:"profile"`
		Persist  session.Persist `json:"persist"`
	}
	if err := decode(w, r, &q); err != nil {
		s.fail(w, r, err)
		return
	}
	n, err := s.service.CreateSession(r.Context(), identityOf(r.Context()).caller, session.Spec{
		ID: q.ID, Language: q.Language, Profile: q.Profile, Persist: q.Persist,
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusCreated, shown(r, n))
}

func (s *Server) getSession(w http.ResponseWriter, r *http.Request) {
	n, err := s.service.Session(r.Context(), identityOf(r.Context()).caller, r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, shown(r, n))
}

func (s *Server) destroySession(w http.ResponseWriter, r *http.Request) {
	if err := s.service.Destroy(r.Context(), identityOf(r.Context()).caller, r.PathValue("id")); err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// listing is one page of a session's files.
type listing struct {
	Entries []workspace.Entry `json:"entries"`
	// After is what to ask for next, if there is more.
	After string `json:"after,omitempty"`
}

func (s *Server) listFiles(w http.ResponseWriter, r *http.Request) {
	files, err := s.service.Files(r.Context(), identityOf(r.Context()).caller, r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer files.Close() //nolint:errcheck // nothing was written
	page := listing{Entries: []workspace.Entry{}}
	for e, err := range files.List(r.Context(), workspace.ListOptions{Pattern: r.FormValue("pattern"), After: r.FormValue("after")}) {
		if err != nil && e.Path == "" {
			s.fail(w, r, err)
			return
		}
		if err != nil { // one that cannot be looked at is left out
			continue
		}
		if len(page.Entries) == maxListed {
			page.After = page.Entries[maxListed-1].Path
			break
		}
		page.Entries = append(page.Entries, e)
	}
	writeJSON(w, http.StatusOK, page)
}

// readFile answers with a file. A guest wrote it, so nothing may take it for more than
// bytes.
func (s *Server) readFile(w http.ResponseWriter, r *http.Request) {
	files, err := s.service.Files(r.Context(), identityOf(r.Context()).caller, r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer files.Close() //nolint:errcheck // nothing was written
	file, entry, err := files.Read(r.PathValue("path"), 0, -1)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer file.Close() //nolint:errcheck // nothing was written
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", "attachment")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Last-Modified", entry.Modified.UTC().Format(http.TimeFormat))
	h.Set("Content-Length", strconv.FormatInt(entry.Size, 10))
	w.WriteHeader(http.StatusOK)
	n, err := io.CopyBuffer(struct{ io.Writer }{w}, io.LimitReader(file, entry.Size), make([]byte, 128<<10))
	s.metrics.fileBytes.WithLabelValues("sent").Add(float64(n))
	if err != nil || n < entry.Size {
		panic(http.ErrAbortHandler) // so that the caller takes half a file for no file
	}
}

func (s *Server) writeFile(w http.ResponseWriter, r *http.Request) {
	modes := map[string]workspace.Mode{"": workspace.Replace, "replace": workspace.Replace, "create": workspace.Create, "append": workspace.Append}
	mode, ok := modes[r.URL.Query().Get("mode")]
	if !ok {
		s.fail(w, r, fmt.Errorf("%w: mode: want create, replace or append", service.ErrInvalid))
		return
	}
	var written workspace.Entry
	body := &counted{from: r.Body}
	err := s.service.Edit(r.Context(), identityOf(r.Context()).caller, r.PathValue("id"), func(files *workspace.Workspace) (err error) {
		written, err = files.Write(r.Context(), r.PathValue("path"), mode, body)
		return err
	})
	s.metrics.fileBytes.WithLabelValues("received").Add(float64(body.n))
	if err != nil && body.err != nil {
		err = fmt.Errorf("%w: read the body: it did not come whole", service.ErrInvalid)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, written)
}

// counted counts what is read, and remembers why no more was.
type counted struct {
	from io.Reader
	n    int64
	err  error
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

func (s *Server) deleteFile(w http.ResponseWriter, r *http.Request) {
	err := s.service.Edit(r.Context(), identityOf(r.Context()).caller, r.PathValue("id"), func(files *workspace.Workspace) error {
		return files.Remove(r.PathValue("path"))
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
