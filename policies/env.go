package policies

import (
	"strings"
	"unicode/utf8"
)

// Bounds of an environment.
const (
	// MaxEnv is how many variables a program may have.
	MaxEnv = 256
	// MaxEnvName is the longest name, in bytes.
	MaxEnvName = 128
	// MaxEnvValue is the longest value, in bytes.
	MaxEnvValue = 32 << 10
)

// checkEnv refuses what cannot be handed to a program as a variable.
func checkEnv(name, value string) error {
	switch {
	case name == "":
		return invalidf("a variable has no name")
	case len(name) > MaxEnvName:
		return invalidf("a name of %d bytes is above the maximum of %d", len(name), MaxEnvName)
	case strings.ContainsAny(name, "=\x00"), !utf8.ValidString(name):
		return invalidf("name %q holds a '=', a NUL or invalid UTF-8, which no variable can", name)
	case len(value) > MaxEnvValue:
		return invalidf("the value of %q has %d bytes, above the maximum of %d; mount a file instead", name, len(value), MaxEnvValue)
	case strings.ContainsRune(value, 0), !utf8.ValidString(value):
		return invalidf("the value of %q holds a NUL or invalid UTF-8, which no variable can", name)
	}
	return nil
}
