package host

import (
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// languageNames are names that only drivers may know.
var languageNames = regexp.MustCompile(`(?i)python|javascript|typescript|quickjs|ecmascript|ruby|starlark|\bphp|sqlite|\blua\b`)

// choosing are the names by which a driver is chosen, and nothing more.
var choosing = regexp.MustCompile(`^(Driver|new)[A-Z]`)

// TestTheHostKnowsNoLanguage reads the code of the engine, but for its comments: what
// it says of a language belongs into the driver's own files.
func TestTheHostKnowsNoLanguage(t *testing.T) {
	drivers := []string{"marshal.go"} // Python's format of objects
	var files []string
	for _, pattern := range []string{"*.go", "*/*.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) < 50 {
		t.Fatalf("found %d files only", len(files))
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || slices.Contains(drivers, name) || languageNames.MatchString(filepath.Base(name)) {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range words(t, name, text) {
			if languageNames.MatchString(word) && !choosing.MatchString(word) {
				t.Errorf("%s says %s", name, word)
			}
		}
	}
}

// words are the names and texts in a file.
func words(t *testing.T, name string, text []byte) []string {
	t.Helper()
	set := token.NewFileSet()
	var s scanner.Scanner
	s.Init(set.AddFile(name, set.Base(), len(text)), text, nil, 0)
	var all []string
	for {
		_, kind, literal := s.Scan()
		switch kind {
		case token.EOF:
			return all
		case token.IDENT, token.STRING:
			all = append(all, literal)
		default:
		}
	}
}
