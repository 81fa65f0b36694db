// Package near says how far words are from each other, for messages that ask whether
// another one was meant. It knows nothing of sandboxd.
package near

import (
	"slices"
	"strings"
)

// Word returns the word of words that a person most likely meant by got, or "" when none
// is close: up to two letters, or a third of them, may be wrong. Words that differ only in
// case always count as close.
func Word(got string, words []string) string {
	const longest = 64 // the distance is quadratic
	if len(got) > longest {
		return ""
	}
	got = strings.ToLower(got)
	best, bestDistance := "", 1+min(2, len(got)/3)
	for _, word := range slices.Sorted(slices.Values(words)) {
		if d := Distance(got, strings.ToLower(word)); d < bestDistance {
			best, bestDistance = word, d
		}
	}
	return best
}

// Distance is the optimal string alignment distance between a and b in bytes:
// insertions, deletions, substitutions and swaps of neighbours each count one.
//
// See https://en.wikipedia.org/wiki/Damerau%E2%80%93Levenshtein_distance
func Distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
