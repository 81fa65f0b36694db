// Package capabilities describes what programs of each language can import, from what
// ran. Its test runs every import in the sandbox, compares what happened with what is
// recorded in testdata, and that with the pages in docs. Both are rewritten by
//
//	go test ./internal/capabilities -update
//
// which keeps the times of what costs what it did: delete a record to take them anew.
// Python is there in two builds, of which a machine runs one: the other's record stays as
// it is. Values are plain data; nothing here is safe for concurrent modification.
package capabilities

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sandboxd/sandboxd/policies"
)

// Record is what ran of one build of a language.
type Record struct {
	Version string `json:"version"`
	// Globals are the names that programs find without an import.
	Globals []string `json:"globals,omitempty"`
	Modules []Module `json:"modules,omitempty"`
	// Packages are those of the catalogue; recorded where they were fetched.
	Packages []Module `json:"packages,omitempty"`
}

// Module is something that a program imported.
type Module struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"` // of a package
	// Fuel is how many instructions the import adds to a program.
	Fuel uint64 `json:"fuel"`
	// Milliseconds is how long it took when the record was made; 0 is not measured.
	Milliseconds float64 `json:"ms,omitempty"`
	// Pages is how much memory the whole program had, in pages of 64 KiB; 0 is not
	// measured.
	Pages uint32 `json:"pages,omitempty"`
	// Missing is what the failed import said; empty if it did not fail.
	Missing string `json:"missing,omitempty"`
}

// free is the most instructions that an import may add and count as costing nothing.
const free = 200_000

// Tolerance is how far fuel and memory may be from what is recorded: this part of it, or
// [free] and [freePages].
const Tolerance = 0.1

// freePages are a MiB.
const freePages = 16

// Differences says how what ran differs from what is recorded; times are not compared.
func Differences(recorded, ran *Record) []string {
	var all []string
	if recorded.Version != ran.Version {
		all = append(all, fmt.Sprintf("the version is %s, and %s is recorded", ran.Version, recorded.Version))
	}
	if !slices.Equal(recorded.Globals, ran.Globals) {
		all = append(all, fmt.Sprintf("the globals are %v, and recorded are %v", ran.Globals, recorded.Globals))
	}
	all = append(all, compare(recorded.Modules, ran.Modules)...)
	return append(all, compare(recorded.Packages, ran.Packages)...)
}

func compare(recorded, ran []Module) []string {
	var all []string
	was, is := byName(recorded), byName(ran)
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if _, ok := is[name]; !ok {
			all = append(all, name+" is recorded, and did not run")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(is)) {
		a, ok := was[name]
		b := is[name]
		switch {
		case !ok:
			all = append(all, name+" ran, and is not recorded")
		case a.Version != b.Version:
			all = append(all, fmt.Sprintf("%s has version %s, and %s is recorded", name, b.Version, a.Version))
		case a.Missing != b.Missing:
			all = append(all, fmt.Sprintf("importing %s said %q, and %q is recorded", name, b.Missing, a.Missing))
		case !near(a.Fuel, b.Fuel, free):
			all = append(all, fmt.Sprintf("importing %s took %d instructions, and %d are recorded", name, b.Fuel, a.Fuel))
		case !near(uint64(a.Pages), uint64(b.Pages), freePages):
			all = append(all, fmt.Sprintf("importing %s took %d pages of memory, and %d are recorded", name, b.Pages, a.Pages))
		}
	}
	return all
}

// near allows a difference of the tolerance, or of little.
func near(recorded, ran, little uint64) bool {
	apart := max(recorded, ran) - min(recorded, ran)
	return apart <= max(little, uint64(Tolerance*float64(recorded)))
}

// near says whether two imports did and cost the same.
func (m *Module) near(o *Module) bool {
	return m.Version == o.Version && m.Missing == o.Missing &&
		near(m.Fuel, o.Fuel, free) && near(uint64(m.Pages), uint64(o.Pages), freePages)
}

// largest is the profile for programs that one with less fuel has not enough for.
const largest = "relaxed"

// Enough names the first of the profiles that come with sandboxd which has the fuel for
// imports that cost as much as recorded, and for what they may differ from that.
func Enough(fuel uint64) string {
	small, err := policies.Builtin().Profile(policies.DefaultProfile)
	if err == nil && fuel+max(free, uint64(Tolerance*float64(fuel))) <= small.Fuel {
		return small.Name
	}
	return largest
}

// Keep puts modules that ran as they are recorded back to what is recorded, with the time
// that they took then.
func Keep(recorded, ran []Module) {
	was := byName(recorded)
	for i, m := range ran {
		if old, ok := was[m.Name]; ok && old.near(&m) {
			ran[i] = old
		}
	}
}

func byName(modules []Module) map[string]Module {
	m := make(map[string]Module, len(modules))
	for _, module := range modules {
		m[module.Name] = module
	}
	return m
}

// column is one build of a language, in tables that compare them.
type column struct {
	title   string
	modules map[string]Module
}

const preamble = `Made from what ran: every line is an import in the sandbox, each in an interpreter of its own.
A test repeats them all and allows a tenth of difference. Fuel is what the import adds to an
empty program, in millions of instructions, with prebuilt runtimes as they are fetched; what
"sandboxd runtimes prepare" optimized takes about 4 % less. Times are of one machine with two
processors that was doing other work as well, and are there for their proportions.

`

// Python renders the page of Python, from the records of its two builds.
func Python(prebuilt, built *Record) string {
	var b strings.Builder
	b.WriteString("# What Python programs can import\n\n" + preamble)
	fmt.Fprintf(&b, "There are two builds ([python.md](python.md)): %s, which is fetched, and %s, which is built\nfrom source.\n", prebuilt.Version, built.Version)
	columns := []column{{"prebuilt", byName(prebuilt.Modules)}, {"built", byName(built.Modules)}}
	modules(&b, columns, "A program starts with these imported; `import` only names them")
	missing(&b, columns)
	catalogue(&b, []column{{"prebuilt", byName(prebuilt.Packages)}, {"built", byName(built.Packages)}}, "packages.md",
		", without `preload`. The profile is the smaller one of\n`strict` and `relaxed` that has the fuel for the import, and a tenth to spare, with either build")
	return b.String()
}

// Single renders the page of a language with one build.
func Single(title, about string, r *Record) string {
	var b strings.Builder
	how := preamble
	if len(r.Modules) == 0 {
		how = "Made from what ran: a test looks for each name in the sandbox.\n\n"
	}
	fmt.Fprintf(&b, "# %s\n\n%s%s\n\nThe version is %s.\n", title, how, about, r.Version)
	if len(r.Globals) > 0 {
		b.WriteString("\n## Globals\n\n")
		list(&b, r.Globals)
	}
	if len(r.Modules) > 0 {
		columns := []column{{"", byName(r.Modules)}}
		modules(&b, columns, "These cost next to nothing")
		missing(&b, columns)
	}
	if len(r.Packages) > 0 {
		catalogue(&b, []column{{"", byName(r.Packages)}}, "packages.md#javascript-and-typescript",
			" and their parts, with `import`.\nThe memory is that of the whole call. The profile is the smaller one of `strict` and `relaxed` that\nhas the fuel for the import, and a tenth to spare: under it, it ran")
	}
	return b.String()
}

// catalogue writes its packages, on which a page says more.
func catalogue(b *strings.Builder, columns []column, page, about string) {
	fmt.Fprintf(b, "\n## Packages\n\nThose of the [catalogue](%s)%s.\n", page, about)
	costs(b, "Import", columns, names(columns, func(string) bool { return true }))
}

// modules writes those that can be imported: what costs nothing, and the others.
func modules(b *strings.Builder, columns []column, about string) {
	present := func(name string) bool {
		return slices.ContainsFunc(columns, func(c column) bool { m, ok := c.modules[name]; return ok && m.Missing == "" })
	}
	cheap := func(name string) bool {
		return !slices.ContainsFunc(columns, func(c column) bool { m, ok := c.modules[name]; return !ok || m.Missing != "" || m.Fuel > free })
	}
	fmt.Fprintf(b, "\n## Modules that are there at once\n\n%s.\n\n", about)
	list(b, names(columns, cheap))
	others := names(columns, func(name string) bool { return present(name) && !cheap(name) })
	if len(others) > 0 {
		b.WriteString("\n## Modules that cost something\n")
		costs(b, "Module", columns, others)
	}
}

// names are those of all columns that are wanted.
func names(columns []column, wanted func(string) bool) []string {
	all := map[string]bool{}
	for _, c := range columns {
		for name := range c.modules {
			if wanted(name) {
				all[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func list(b *strings.Builder, names []string) {
	line := ""
	for i, name := range names {
		word := "`" + name + "`"
		if i < len(names)-1 {
			word += ","
		}
		if len(line)+1+len(word) > 100 {
			b.WriteString(line + "\n")
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	b.WriteString(line + "\n")
}

// costs writes a table of what imports cost. Those that have a version are of packages,
// and get the profile that is enough.
func costs(b *strings.Builder, what string, columns []column, names []string) {
	some := func(has func(Module) bool) bool {
		return slices.ContainsFunc(columns, func(c column) bool {
			return slices.ContainsFunc(names, func(name string) bool { return has(c.modules[name]) })
		})
	}
	versions := some(func(m Module) bool { return m.Version != "" })
	times := some(func(m Module) bool { return m.Milliseconds != 0 })
	memory := some(func(m Module) bool { return m.Pages != 0 })
	cell := func(there bool, text string) string { return ifThere(there, " | "+text) }

	b.WriteString("\n| " + what + cell(versions, "Version"))
	for _, c := range columns {
		b.WriteString(" | " + ifThere(c.title != "", c.title+": ") + "fuel, M" + cell(times, "ms") + cell(memory, "memory, MiB"))
	}
	b.WriteString(cell(versions, "Profile") + " |\n|---" + ifThere(versions, "|---"))
	for range columns {
		b.WriteString("|---:" + ifThere(times, "|---:") + ifThere(memory, "|---:"))
	}
	b.WriteString(ifThere(versions, "|---") + "|\n")
	for _, name := range names {
		version, fuel := "", uint64(0)
		for _, c := range columns {
			version, fuel = cmp.Or(version, c.modules[name].Version), max(fuel, c.modules[name].Fuel)
		}
		fmt.Fprintf(b, "| `%s`%s", name, cell(versions, version))
		for _, c := range columns {
			m, ok := c.modules[name]
			there := ok && m.Missing == ""
			b.WriteString(" | " + orDash(there, millions(m.Fuel)) +
				cell(times, orDash(there && m.Milliseconds != 0, short(m.Milliseconds))) +
				cell(memory, orDash(there && m.Pages != 0, short(float64(m.Pages)/16))))
		}
		b.WriteString(cell(versions, "`"+Enough(fuel)+"`") + " |\n")
	}
}

func ifThere(there bool, text string) string {
	if there {
		return text
	}
	return ""
}

func orDash(there bool, text string) string { return cmp.Or(ifThere(there, text), "-") }

func millions(fuel uint64) string { return short(float64(fuel) / 1e6) }

// short has two digits, or all before the point.
func short(v float64) string {
	if v >= 9.95 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.1f", v)
}

// missing writes those that cannot be imported anywhere, by what the import said.
func missing(b *strings.Builder, columns []column) {
	said := map[string][]string{}
	for _, name := range names(columns, func(string) bool { return true }) {
		last := ""
		for _, c := range columns {
			if m, ok := c.modules[name]; ok {
				last = m.Missing
				if last == "" {
					break
				}
			}
		}
		if last != "" {
			said[last] = append(said[last], name)
		}
	}
	if len(said) == 0 {
		return
	}
	b.WriteString("\n## Modules that are not there\n\nWhat importing them says, which names the part that this platform does not have: native code,\nprocesses, sockets, a terminal, another operating system.\n\n| Says | Module |\n|---|---|\n")
	own := []string{}
	for _, text := range slices.Sorted(maps.Keys(said)) {
		if names := said[text]; len(names) == 1 && strings.HasSuffix(text, "'"+names[0]+"'") {
			own = append(own, names...)
			continue
		}
		fmt.Fprintf(b, "| %s | %s |\n", strings.ReplaceAll(text, "|", "\\|"), "`"+strings.Join(said[text], "`, `")+"`")
	}
	if len(own) > 0 {
		slices.Sort(own)
		fmt.Fprintf(b, "| that there is no such module | %s |\n", "`"+strings.Join(own, "`, `")+"`")
	}
}
