package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdJSON demands that the last command printed exactly one JSON object, and
// compares one of its values, written as JSON, or checks its type:
//
//	json stdout status "timeout"
//	json stdout error.line 3
//	json stdout fuel_consumed number
func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: [!] json file path value")
	}
	object, err := oneObject([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	got, err := lookup(object, args[1])
	ts.Check(err)
	want := strings.Join(args[2:], " ")
	if matches(got, want) == neg {
		ts.Fatalf("%s is %s; want it to be %s: %v", args[1], compact(got), want, !neg)
	}
}

// cmdSameField demands that two JSON objects have the same value in one place:
//
//	samefield first stdout fuel_consumed
func cmdSameField(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: samefield file file path")
	}
	var values [2]string
	for i, file := range args[:2] {
		object, err := oneObject([]byte(ts.ReadFile(file)))
		ts.Check(err)
		value, err := lookup(object, args[2])
		ts.Check(err)
		values[i] = compact(value)
	}
	if values[0] != values[1] {
		ts.Fatalf("%s is %s in %s and %s in %s", args[2], values[0], args[0], values[1], args[1])
	}
}

// oneObject decodes data, which must be one JSON object and nothing else.
func oneObject(data []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var object map[string]any
	if err := dec.Decode(&object); err != nil {
		return nil, fmt.Errorf("not a JSON object: %w: %q", err, data)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("something follows the JSON object: %q", data)
	}
	return object, nil
}

// lookup finds a value by its dotted path; numbers index arrays.
func lookup(value any, path string) (any, error) {
	for key := range strings.SplitSeq(path, ".") {
		var ok bool
		switch at := value.(type) {
		case map[string]any:
			value, ok = at[key]
		case []any:
			i, err := strconv.Atoi(key)
			if ok = err == nil && i >= 0 && i < len(at); ok {
				value = at[i]
			}
		}
		if !ok {
			return nil, fmt.Errorf("no %q on the way to %s", key, path)
		}
	}
	return value, nil
}

// matches compares value with JSON text or with the name of a type.
func matches(value any, want string) bool {
	switch want {
	case "number":
		_, ok := value.(json.Number)
		return ok
	case "string":
		_, ok := value.(string)
		return ok
	case "array":
		_, ok := value.([]any)
		return ok
	default:
		return compact(value) == want
	}
}

func compact(value any) string {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(out.String(), "\n")
}
