package network

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sandboxd/sandboxd/policies"
)

// minSecret is the shortest secret: a shorter one would be found, and taken out,
// where it is not meant.
const minSecret = 8

// CheckSecret says what is wrong with a secret, without showing it.
func CheckSecret(s string) error {
	switch {
	case len(s) < minSecret:
		return fmt.Errorf("holds %d bytes; a secret has at least %d, or it could not be told from other text", len(s), minSecret)
	case !policies.IsHeaderValue(s) || strings.TrimSpace(s) != s:
		return fmt.Errorf("holds what cannot be the value of a header; visible ASCII on one line can, at most 8 KiB")
	}
	return nil
}

// mask is what a guest sees in place of a secret.
const mask = "[secret]"

// scrubber takes secrets out of what a guest gets to see.
type scrubber struct{ secrets [][]byte } // the longest first

func newScrubber(secrets []string) scrubber {
	s := scrubber{}
	for _, text := range secrets {
		s.secrets = append(s.secrets, []byte(text))
	}
	slices.SortFunc(s.secrets, func(a, b []byte) int { return cmp.Compare(len(b), len(a)) })
	return s
}

// bytes returns p, or a copy of it without secrets.
func (s scrubber) bytes(p []byte) []byte {
	for _, secret := range s.secrets {
		if bytes.Contains(p, secret) {
			p = bytes.ReplaceAll(p, secret, []byte(mask))
		}
	}
	return p
}

func (s scrubber) text(p string) string { return string(s.bytes([]byte(p))) }

// holds says whether text holds a secret in whatever case, for texts whose case is
// changed on the way.
func (s scrubber) holds(text string) bool {
	lower := bytes.ToLower([]byte(text))
	return slices.ContainsFunc(s.secrets, func(secret []byte) bool {
		return bytes.Contains(lower, bytes.ToLower(secret))
	})
}
