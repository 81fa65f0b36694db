package policies

import (
	"strconv"
	"strings"
)

// quote shows untrusted text, or the beginning of it, on one line.
func quote(s string) string { return strconv.Quote(clip(s)) }

// clip keeps messages short whatever they quote.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// didYouMean returns ` (did you mean "x"?)`, or "" when nothing known is close.
func didYouMean(got string, known []string) string {
	near := nearest(got, known)
	if near == "" {
		return ""
	}
	return " (did you mean " + quote(near) + "?)"
}

// nearest returns the known word that is most likely meant by got; "" when none
// is close. The word in another case is, then the shortest of those cut short;
// otherwise up to two letters, or a third of them, may be wrong.
func nearest(got string, known []string) string {
	const longest = 64 // no known word is, and distance is quadratic
	if len(got) > longest {
		return ""
	}
	best := ""
	for _, word := range known {
		if strings.EqualFold(word, got) {
			return word
		}
		if len(got) > 2 && strings.HasPrefix(word, got) && (best == "" || len(word) < len(best)) {
			best = word
		}
	}
	if best != "" {
		return best
	}
	bestDistance := 1 + min(2, len(got)/3)
	for _, word := range known {
		if d := distance(got, word); d < bestDistance {
			best, bestDistance = word, d
		}
	}
	return best
}

// distance is the number of letters to insert, delete, replace or swap with
// their neighbour to turn a into b: the "optimal string alignment" variant of
// the Damerau-Levenshtein distance.
func distance(a, b string) int {
	var before []int // two rows up
	above := make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above = above, row
	}
	return above[len(b)]
}
