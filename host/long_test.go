package host

import (
	"os"
	"strconv"
	"testing"
)

// LongTests makes the tests that run many programs run a great many: they take a
// quarter of an hour in place of half a minute.
var LongTests = os.Getenv("SANDBOXD_LONG_TESTS") != ""

// Amount is how much of something a test does: little in a short run, and much in
// a long one.
func Amount(short, usual, long int) int {
	switch {
	case LongTests:
		return long
	case testing.Short():
		return short
	}
	return usual
}

// Spoiler returns a program that spoils its interpreter in ways that seed decides,
// and then ends in some way.
func Spoiler(tb testing.TB, seed int) Request {
	tb.Helper()
	return Request{
		Language: "python",
		Code:     Isolation(tb, "disturb.py"),
		Filename: "disturb.py",
		Args:     []string{strconv.Itoa(seed), strconv.Itoa(1 + seed%20)},
	}
}

// Isolation returns a program of testdata/isolation.
func Isolation(tb testing.TB, name string) []byte {
	tb.Helper()
	code, err := os.ReadFile("testdata/isolation/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	return code
}
