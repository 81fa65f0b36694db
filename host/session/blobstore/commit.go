package blobstore

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/sandboxd/sandboxd/host/session"
)

// commit is what a session was at one moment, as it lies in the bucket: a line that
// says what follows, with its SHA-256, and then JSON.
type commit struct {
	// Writes are the random names of the write that made this commit, the first, and
	// of those that made the ones before it. By its own name somebody whose
	// connection was lost finds out that he committed after all.
	Writes []string `json:"writes"`
	// Life names the session among those of the same id that came and went: its data
	// lies in a directory of that name.
	Life   string              `json:"life"`
	Record []byte              `json:"record"`
	Turns  []turn              `json:"turns"`
	Images map[string]*blobRef `json:"images"`
}

// turn is one turn's record and workspace.
type turn struct {
	Number int      `json:"number"`
	Record *blobRef `json:"record"`
	Files  *blobRef `json:"files"`
	// Bytes and Entries are what the workspace holds.
	Bytes   int64 `json:"bytes"`
	Entries int   `json:"entries"`
}

// blobRef is where data is and what it must be: in an object of the session's, or, if
// it is short, in the commit itself.
type blobRef struct {
	Name   string `json:"name,omitempty"`
	Inline []byte `json:"inline,omitempty"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Bounds of what is read.
const (
	maxCommit  = 16 << 20
	maxWrites  = 16
	maxRecord  = 32 << 20 // of a turn; package session refuses larger ones
	maxInline  = 4 << 10
	maxTurns   = 1 << 12 // history is far shorter
	maxName    = 64
	commitHead = "sandboxd session commit 1 "
)

func encodeCommit(c *commit) ([]byte, error) {
	data, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	if len(data) > maxCommit/2 {
		return nil, fmt.Errorf("the session has %d bytes of records, too many to commit", len(data))
	}
	return slices.Concat([]byte(commitHead), []byte(digestOf(data)), []byte("\n"), data), nil
}

// decodeCommit reads a commit. A hostile bucket may hold anything in its place:
// whatever data is, what is returned is in bounds and its names are plain.
func decodeCommit(data []byte) (*commit, error) {
	rest, ok := bytes.CutPrefix(data, []byte(commitHead))
	if !ok {
		return nil, errors.New("it does not begin as a commit of a version that this sandboxd knows")
	}
	sum, body, ok := bytes.Cut(rest, []byte("\n"))
	if !ok || string(sum) != digestOf(body) {
		return nil, errors.New("its checksum is wrong")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	var c commit
	if err := dec.Decode(&c); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows its end")
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return &c, nil
}

func (c *commit) check() error {
	if len(c.Writes) == 0 || len(c.Writes) > maxWrites || !plain(c.Life) || len(c.Turns) > maxTurns || len(c.Images) > maxTurns {
		return errors.New("it is wrong")
	}
	for i, t := range c.Turns {
		if t.Number < 0 || i > 0 && t.Number <= c.Turns[i-1].Number || t.Bytes < 0 || t.Entries < 0 || !t.Record.ok() || !t.Files.ok() || t.Files.Name == "" {
			return fmt.Errorf("its turn %d is wrong", t.Number)
		}
	}
	for digest, image := range c.Images {
		if !isDigest(digest) || !image.ok() || image.Name == "" {
			return errors.New("its images are wrong")
		}
	}
	return nil
}

func (r *blobRef) ok() bool {
	if r == nil || r.Size < 0 || !isDigest(r.SHA256) {
		return false
	}
	if r.Name == "" {
		return int64(len(r.Inline)) == r.Size && len(r.Inline) <= maxInline && digestOf(r.Inline) == r.SHA256
	}
	return plain(r.Name) && r.Inline == nil
}

// turn finds a turn, and nil where there is none.
func (c *commit) turn(number int) *turn {
	i, ok := slices.BinarySearchFunc(c.Turns, number, func(t turn, n int) int { return t.Number - n })
	if !ok {
		return nil
	}
	return &c.Turns[i]
}

// plain reports whether a name is one of those that this package makes: letters,
// digits and hyphens.
func plain(name string) bool {
	ok := name != "" && len(name) <= maxName
	for i := range len(name) {
		c := name[i]
		ok = ok && ('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-')
	}
	return ok
}

// isDigest reports whether s is a SHA-256 in lower-case hexadecimal.
func isDigest(s string) bool {
	ok := len(s) == 2*sha256.Size
	for i := range len(s) {
		ok = ok && ('0' <= s[i] && s[i] <= '9' || 'a' <= s[i] && s[i] <= 'f')
	}
	return ok
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// damaged gives an error about what a bucket holds its class.
func damaged(k session.Key, what string, err error) error {
	return fmt.Errorf("%w %q: %s: %w", session.ErrDamaged, k.ID, what, err)
}
