package tool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf8"
)

// maxDepth is how deeply arguments may nest.
const maxDepth = 64

// parseObject reads arguments for validation: exactly one JSON object, in UTF-8, that
// can only be read in one way. No object has a name twice, of which one reader would
// take the first and another one the last; every number is one that a float64 or an
// int64 can hold, so that nobody computes a number of a thousand million digits.
//
// A hostile guest chooses the bytes. Their number is bounded by the caller, their depth
// here, and what is made of them is at most some fifty times as large.
func parseObject(text []byte) (map[string]any, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("are not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := parseValue(d, 0)
	if err != nil {
		return nil, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("are not a JSON object")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("are more than one JSON value")
	}
	return object, nil
}

func parseValue(d *json.Decoder, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, errors.New("are not well-formed JSON")
	}
	switch t := token.(type) {
	case json.Number:
		return parseNumber(t)
	case json.Delim:
		if depth == maxDepth {
			return nil, fmt.Errorf("nest more than %d deep", maxDepth)
		}
		if t == '{' {
			return parseMembers(d, depth+1)
		}
		return parseItems(d, depth+1)
	default: // a string, a boolean, or nil
		return t, nil
	}
}

// parseMembers reads the rest of an object.
func parseMembers(d *json.Decoder, depth int) (any, error) {
	object := map[string]any{}
	for d.More() {
		token, err := d.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return nil, errors.New("are not well-formed JSON")
		}
		if _, twice := object[name]; twice {
			return nil, fmt.Errorf("have %.80q twice in one object", name)
		}
		if object[name], err = parseValue(d, depth); err != nil {
			return nil, err
		}
	}
	return object, end(d)
}

// parseItems reads the rest of an array.
func parseItems(d *json.Decoder, depth int) (any, error) {
	items := []any{}
	for d.More() {
		v, err := parseValue(d, depth)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	return items, end(d)
}

// end reads the bracket that More has seen, or has missed.
func end(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return errors.New("are not well-formed JSON")
	}
	return nil
}

// parseNumber gives what the validator knows as a number.
func parseNumber(n json.Number) (any, error) {
	if i, err := strconv.ParseInt(n.String(), 10, 64); err == nil {
		return i, nil
	}
	f, err := strconv.ParseFloat(n.String(), 64)
	if err != nil || math.IsInf(f, 0) {
		return nil, fmt.Errorf("have a number out of range: %.40s", n)
	}
	return f, nil
}
