package packages

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A compiler of modules breaks off at each strange one that it is not told to leave.
func TestCompileLeavesOutWhatBreaksTheInterpreterOff(t *testing.T) {
	many := make([]string, strangeLimit+1)
	for i := range many {
		many[i] = fmt.Sprintf("a/b%d", i)
	}
	tests := []struct {
		name    string
		strange []string
		end     bool // break off after the last module too
		runs    int
		problem string
	}{
		{"nothing strange", nil, false, 1, ""},
		{"one", []string{"a/b3"}, false, 2, ""},
		{"as many as may be", many[:strangeLimit], false, strangeLimit + 1, ""},
		{"more", many, false, strangeLimit + 1, `broke off at module "a/b10", and before at 10 others: ["a/b0"`},
		{"after the modules", nil, true, 2, `broke off after module "a/b10", which it was told to leave`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			runs := 0
			err := Compile(func(leave []string) (string, bool, error) {
				runs++
				var output strings.Builder
				for _, module := range many {
					fmt.Fprintln(&output, module)
					if slices.Contains(tt.strange, module) && !slices.Contains(leave, module) {
						return output.String(), true, nil
					}
				}
				return output.String(), tt.end, nil
			})
			if (err == nil) != (tt.problem == "") || err != nil && !strings.Contains(err.Error(), tt.problem) {
				t.Errorf("got %v, want %q", err, tt.problem)
			}
			if runs != tt.runs {
				t.Errorf("ran %d times, want %d", runs, tt.runs)
			}
		})
	}
	if err := Compile(func([]string) (string, bool, error) { return "", true, nil }); err == nil || !strings.Contains(err.Error(), "before the first module") {
		t.Errorf("without a word: %v", err)
	}
	refused := errors.New("no room")
	if err := Compile(func([]string) (string, bool, error) { return "a\n", true, refused }); !errors.Is(err, refused) {
		t.Errorf("the program's own error: %v", err)
	}
}
