package runtimes

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// Limits are what a runtime says its programs never need more of. Zero says
// nothing.
type Limits struct {
	Fuel                   uint64 // instructions
	Memory, Stdout, Stderr uint64 // bytes
	Timeout                time.Duration
}

var limitKeys = []string{"fuel", "memory", "stdout", "stderr", "timeout"}

// limits reads the [limits] table.
func (p *parser) limits(meta *toml.MetaData, top table, d *Definition) {
	e, given := top.keys["limits"]
	if !given {
		return
	}
	t, ok := p.subtable(meta, e, "limits", limitKeys)
	if !ok {
		return
	}
	d.Limits = Limits{
		Fuel:    limit(p, t, "fuel", readAmount),
		Memory:  limit(p, t, "memory", readSize),
		Stdout:  limit(p, t, "stdout", readSize),
		Stderr:  limit(p, t, "stderr", readSize),
		Timeout: limit(p, t, "timeout", readTime),
	}
}

// limit reads one key; absent is zero.
func limit[T any](p *parser, t table, key string, read func(any) (T, error)) T {
	var zero T
	e, ok := t.keys[key]
	if !ok {
		return zero
	}
	value, err := read(e.value)
	if err != nil {
		p.add(e.line, "%s%s: %v", t.name, key, err)
		return zero
	}
	return value
}

func readAmount(value any) (uint64, error) {
	n, ok := value.(int64)
	if !ok {
		return 0, fmt.Errorf("must be a whole number, not %s", typeName(value))
	}
	if n <= 0 {
		return 0, fmt.Errorf("%d is not above zero", n)
	}
	return uint64(n), nil
}

// units of a size, longest first so that "MiB" is not read as "B".
var units = []struct {
	suffix string
	bytes  uint64
}{
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"KB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"B", 1},
}

func readSize(value any) (uint64, error) {
	text, ok := value.(string)
	if !ok {
		return readAmount(value)
	}
	for _, unit := range units {
		digits, ok := strings.CutSuffix(text, unit.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 64)
		if err != nil || n == 0 || n > math.MaxUint64/unit.bytes {
			break
		}
		return n * unit.bytes, nil
	}
	return 0, fmt.Errorf("%s is not a size, such as \"64MiB\" or \"100KB\"", quote(text))
}

func readTime(value any) (time.Duration, error) {
	text, ok := value.(string)
	if !ok {
		return 0, fmt.Errorf("must be a string with a unit, such as \"5s\", not %s", typeName(value))
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%s is not a time above zero, such as \"5s\"", quote(text))
	}
	return d, nil
}
