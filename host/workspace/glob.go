package workspace

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// glob is a pattern for paths: a list of components, each a pattern of
// [path.Match] or "**". It is matched like an automaton, with all the positions in
// the pattern that the components so far can lead to, so that its time is the
// product of the two lengths, whatever the pattern.
type glob []string

// positions are the places in a glob where the next component is expected, in
// rising order.
type positions []int

// parseGlob checks a pattern. An empty one matches everything.
func parseGlob(pattern string) (glob, error) {
	if pattern == "" {
		pattern = "**"
	}
	switch {
	case len(pattern) > MaxPath:
		return nil, fmt.Errorf("%w: pattern of %d bytes, at most %d are accepted", ErrName, len(pattern), MaxPath)
	case strings.Count(pattern, "/") >= MaxDepth:
		return nil, fmt.Errorf("%w: pattern of more than %d levels", ErrName, MaxDepth)
	}
	var g glob
	for part := range strings.SplitSeq(pattern, "/") {
		if part == "" || part == "." || part == ".." {
			return nil, fmt.Errorf("%w: pattern with a component %q", ErrName, part)
		}
		if part == "**" && len(g) > 0 && g[len(g)-1] == "**" {
			continue
		}
		if _, err := path.Match(part, ""); err != nil {
			return nil, fmt.Errorf("%w: pattern with a malformed component %q", ErrName, part)
		}
		g = append(g, part)
	}
	return g, nil
}

// start is where a match begins.
func (g glob) start() positions {
	return g.closure(nil, 0)
}

// closure adds a position to a list, and those that "**" can stand for nothing at.
func (g glob) closure(list positions, at int) positions {
	for {
		if !slices.Contains(list, at) {
			list = append(list, at)
		}
		if at == len(g) || g[at] != "**" {
			return list
		}
		at++
	}
}

// next is where a match goes with one more component. Without any position left,
// nothing below can match either.
func (g glob) next(from positions, name string) positions {
	var to positions
	for _, at := range from {
		switch {
		case at == len(g):
		case g[at] == "**":
			to = g.closure(to, at)
		default:
			if ok, _ := path.Match(g[at], name); ok { // parseGlob has checked it
				to = g.closure(to, at+1)
			}
		}
	}
	return to
}

// matched reports whether the components so far are a match.
func (g glob) matched(at positions) bool {
	return slices.Contains(at, len(g))
}
