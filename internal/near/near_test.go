package near

import (
	"strings"
	"testing"
)

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "fuel", 4},
		{"fuel", "", 4},
		{"fuel", "fuel", 0},
		{"fule", "fuel", 1},   // neighbours swapped
		{"feul", "fuel", 1},   // again
		{"fuels", "fuel", 1},  // one too many
		{"ful", "fuel", 1},    // one missing
		{"fool", "fuel", 2},   // two others
		{"ca", "abc", 3},      // a letter is not swapped and then moved
		{"memory", "fuel", 6}, // nothing in common
		{"memroy", "memory", 1},
	} {
		if got := Distance(test.a, test.b); got != test.want {
			t.Errorf("from %q to %q it is %d, want %d", test.a, test.b, got, test.want)
		}
		if got := Distance(test.b, test.a); got != test.want {
			t.Errorf("from %q to %q it is %d, want %d", test.b, test.a, got, test.want)
		}
	}
}

func TestWord(t *testing.T) {
	words := []string{"tabulate", "Markdown", "six"}
	for got, want := range map[string]string{
		"tabulat": "tabulate", "TABULATE": "tabulate", "markdwon": "Markdown", "sxi": "six",
		"": "", "s": "", "numpy": "", "tables": "", strings.Repeat("a", 65): "",
	} {
		if word := Word(got, words); word != want {
			t.Errorf("of %q is meant %q, want %q", got, word, want)
		}
	}
}
