// Package workloads holds the programs that benchmarks run.
//
// A workload is one small, deterministic program that checks itself: it prints
// one line, its checksum, which is the same in every implementation and version
// of its language. A benchmark that gets another line has measured nothing.
//
// The package is pure data and safe for concurrent use.
package workloads

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed programs
var programs embed.FS

// Workload is one program.
type Workload struct {
	// Language is what the program is written in, by its runtime's name.
	Language string
	// Name is the workload part of a row's name, such as "fib".
	Name string
	// About says in a few words what the program spends its time on.
	About string
	// Code is the program's source text.
	Code string
	// Want is exactly what the program prints, with the final newline.
	Want string
}

// Check returns an error unless stdout is what the program prints.
func (w Workload) Check(stdout string) error {
	if strings.ReplaceAll(stdout, "\r\n", "\n") != w.Want {
		return fmt.Errorf("check %s: printed %.200q, want %q", w.Name, stdout, w.Want)
	}
	return nil
}

// Hello is the smallest program: what it costs is what a fresh interpreter
// costs.
func Hello() Workload {
	return python("hello", "start an interpreter and print one line", "hi\n")
}

// Hellos returns the smallest program of each language that has one, Hello first.
func Hellos() []Workload {
	return []Workload{
		Hello(),
		read("javascript", "hello", ".js", "start an interpreter and print one line", "hi\n"),
		read("ruby", "hello", ".rb", "start an interpreter and print one line", "hi\n"),
		read("starlark", "hello", ".star", "start an interpreter and print one line", "hi\n"),
	}
}

// Python returns the CPU-bound Python programs, in the order of reports. On an
// interpreter compiled to WebAssembly each takes a few hundred milliseconds and
// burns less than 5 000 000 000 units of fuel.
func Python() []Workload {
	return []Workload{
		python("fib", "function calls", "fib 75025\n"),
		python("loop", "integers", "loop 413096474\n"),
		python("dict", "dictionaries and short strings", "dict 5002 303591166\n"),
		python("json", "encoding and decoding", "json 419020 44925.0\n"),
		python("re", "regular expressions", "re 7500 6261250 371535\n"),
		python("sieve", "bytes, slices and lists", "sieve 37706 699306\n"),
		python("sort", "sorting with and without keys", "sort 630637966\n"),
		python("classes", "methods, generators and exceptions", "classes 1311 1901773\n"),
	}
}

func python(name, about, want string) Workload {
	return read("python", name, ".py", about, want)
}

// read reads one program of this package. The files are part of the binary, so one
// that is missing is a defect of the program, not an event.
func read(language, name, extension, about, want string) Workload {
	code, err := programs.ReadFile("programs/" + name + extension)
	if err != nil {
		panic(fmt.Sprintf("workloads: %v", err))
	}
	return Workload{Language: language, Name: name, About: about, Code: string(code), Want: want}
}
