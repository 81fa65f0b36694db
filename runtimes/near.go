package runtimes

import "github.com/sandboxd/sandboxd/internal/near"

// Nearest returns the word of words that a person most likely meant by got, or
// "" when none is close. Words that differ only in case always count as close.
func Nearest(got string, words []string) string {
	return near.Word(got, words)
}

// didYouMean renders the nearest of words as a hint to append to a message, or
// nothing.
func didYouMean(got string, words []string) string {
	if word := Nearest(got, words); word != "" {
		return " (did you mean " + quote(word) + "?)"
	}
	return ""
}
