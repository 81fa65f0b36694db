package runtimes

import (
	"slices"
	"strings"

	"github.com/sandboxd/sandboxd/internal/near"
)

// Nearest returns the word of words that a person most likely meant by got, or
// "" when none is close. Words that differ only in case always count as close.
func Nearest(got string, words []string) string {
	got = strings.ToLower(got)
	if len(got) > 64 {
		return ""
	}
	best, bestDistance := "", 1+min(2, len(got)/3)
	for _, word := range slices.Sorted(slices.Values(words)) {
		if d := near.Distance(got, strings.ToLower(word)); d < bestDistance {
			best, bestDistance = word, d
		}
	}
	return best
}

// didYouMean renders the nearest of words as a hint to append to a message, or
// nothing.
func didYouMean(got string, words []string) string {
	if word := Nearest(got, words); word != "" {
		return " (did you mean " + quote(word) + "?)"
	}
	return ""
}
