package host

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/sandboxd/sandboxd/policies"
)

// Bundle is one thing shown in several forms, by MIME type: text as it is, and of
// images other than SVG the base64 of their bytes. It has what a guest says, checked
// for its form alone: HTML, Markdown and SVG may hold scripts and links, so whoever
// shows them must treat them as it would those of a stranger.
type Bundle map[string]string

// Artifact is a file that a program says is a result of its work. It may name any
// path, also one where nothing is.
type Artifact struct {
	Path  string `json:"path"`
	Title string `json:"title"`
}

// Bounds of what a program may show.
const (
	// MaxDisplays is the most bundles that a result holds, and the most artifacts.
	MaxDisplays = 100
	// MaxDisplayBytes is the most bytes that they and the value have together.
	MaxDisplayBytes = 8 << 20
)

// images are the binary types that a bundle may have, by how their files begin.
var images = map[string]string{
	"image/png":  "\x89PNG\r\n\x1a\n",
	"image/jpeg": "\xff\xd8\xff",
	"image/gif":  "GIF8",
}

// texts are the other types.
var texts = []string{"text/plain", "text/html", "text/markdown", "application/json", "image/svg+xml"}

// errShown means that a guest shows more than it may.
var errShown = errors.New("more is shown than a result holds")

// shown receives what a guest shows: JSON objects, each with one bundle, under
// "display" or, for the value of the program's last expression, "value", or with an
// artifact. A hostile
// guest can write anything here, as often and as much as it likes: MaxDisplayBytes
// of it are kept, and what is no bundle of known types is left out. Nothing that is
// said here decides anything.
type shown struct{ text bytes.Buffer }

// Write keeps all of p, or nothing and fails.
func (s *shown) Write(p []byte) (int, error) {
	if s.text.Len()+len(p) > MaxDisplayBytes {
		return 0, errShown
	}
	return s.text.Write(p)
}

// put adds to a result what was shown.
func (s *shown) put(r *Result) {
	decoder := json.NewDecoder(&s.text)
	for {
		var told struct {
			Display  Bundle   `json:"display"`
			Value    Bundle   `json:"value"`
			Artifact Artifact `json:"artifact"`
		}
		if decoder.Decode(&told) != nil {
			return
		}
		if bundle := told.Display.known(); len(bundle) > 0 && len(r.Displays) < MaxDisplays {
			r.Displays = append(r.Displays, bundle)
		}
		if a := told.Artifact; a.Path != "" && len(r.Artifacts) < MaxDisplays {
			r.Artifacts = append(r.Artifacts, Artifact{cut(a.Path, policies.MaxGuestPath), cut(a.Title, 1024)})
		}
		if bundle := told.Value.known(); len(bundle) > 0 {
			r.Value = bundle
		}
	}
}

// known is the part of a bundle that is what it says.
func (b Bundle) known() Bundle {
	for kind, content := range b {
		if begins, image := images[kind]; image {
			data, err := base64.StdEncoding.DecodeString(content)
			if err == nil && strings.HasPrefix(string(data), begins) {
				continue
			}
		} else if slices.Contains(texts, kind) && (kind != "application/json" || json.Valid([]byte(content))) {
			continue
		}
		delete(b, kind)
	}
	return b
}
