package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/sandboxd/sandboxd/policies"
)

// optional is a flag that remembers whether it was given: its target stays nil
// until then. It implements pflag.Value.
type optional[T any] struct {
	target **T
	parse  func(string) (T, error)
	kind   string // what --help calls the value
}

func (o optional[T]) Set(s string) error {
	value, err := o.parse(s)
	if err != nil {
		return err
	}
	*o.target = &value
	return nil
}

func (o optional[T]) String() string {
	if o.target == nil || *o.target == nil {
		return ""
	}
	return fmt.Sprint(**o.target)
}

func (o optional[T]) Type() string { return o.kind }

// between is how a flag reads a number that has bounds: none of those outside of them
// stands for something else, such as for no limit.
func between[T int | uint64 | float64](least, most T, parse func(string) (T, error)) func(string) (T, error) {
	return func(s string) (T, error) {
		n, err := parse(s)
		if err == nil && n >= least && n <= most { // which "NaN" is not
			return n, nil
		}
		return 0, fmt.Errorf("want a number from %s to %s", plain(float64(least)), plain(float64(most)))
	}
}

// plain writes a number without an exponent.
func plain(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

func parseFloat(s string) (float64, error) { return strconv.ParseFloat(s, 64) }

var errNotACount = errors.New("want a whole number such as 500_000_000 or 500M")

// parseCount reads a number of instructions or files: decimal digits, which
// underscores may group, and at most one of the suffixes K, M and G for
// thousands, millions and milliards.
func parseCount(s string) (uint64, error) {
	digits, unit := s, uint64(1)
	for suffix, value := range map[string]uint64{"K": 1e3, "M": 1e6, "G": 1e9} {
		if rest, ok := strings.CutSuffix(s, suffix); ok {
			digits, unit = rest, value
		}
	}
	if strings.HasPrefix(digits, "_") || strings.HasSuffix(digits, "_") || strings.Contains(digits, "__") {
		return 0, errNotACount
	}
	n, err := strconv.ParseUint(strings.ReplaceAll(digits, "_", ""), 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, errNotACount
	}
	if err != nil || n > math.MaxUint64/unit {
		return 0, errors.New("the number is too large")
	}
	return n * unit, nil
}

// parseEnv reads the NAME=VALUE pairs of --env. The last one wins.
func parseEnv(pairs []string) (map[string]string, error) {
	env := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("read --env %q: want NAME=VALUE", pair)
		}
		env[name] = value
	}
	return env, nil
}

// parseMounts reads the values of --mount. A relative host path is relative to
// the working directory.
func parseMounts(values []string) ([]policies.Mount, error) {
	mounts := make([]policies.Mount, 0, len(values))
	for _, value := range values {
		mount, err := policies.ParseMount(value)
		if err != nil {
			return nil, fmt.Errorf("read --mount: %w", err)
		}
		mounts = append(mounts, mount)
	}
	return mounts, nil
}
