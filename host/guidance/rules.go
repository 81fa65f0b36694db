package guidance

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/sandboxd/sandboxd/runtimes"
)

// FileName is the name of a language's rules in the folder of its runtime.
const FileName = "guidance.toml"

// maxFile is the largest file of rules accepted, in bytes.
const maxFile = 128 << 10

// Rules are what is known of the failures of one language's programs. The first rule
// that matches a failure speaks.
type Rules struct {
	// List are the rules, in the order in which they are tried.
	List []*Rule `toml:"rule"`
	// Tables are what rules look names up in: by table and name, with a text for each.
	Tables map[string]map[string]string `toml:"table"`
	// Words are names that rules look for near ones in.
	Words map[string][]string `toml:"words"`
	// Costly are modules of the language's library that take much fuel to import.
	Costly Costly `toml:"costly"`
}

// Costly are modules that take much fuel to import.
type Costly struct {
	// Import finds the names of modules that a program imports, as its groups.
	Import string `toml:"import"`
	// Fuel is about the most that each takes.
	Fuel map[string]uint64 `toml:"fuel"`

	find *regexp.Regexp
}

// Rule is one kind of failure. A condition that is not given holds. Patterns are RE2.
type Rule struct {
	// Name tells rules apart, and Title describes the failure for people.
	Name  string `toml:"name"`
	Title string `toml:"title"`
	// Status is the result's; empty means "error".
	Status string `toml:"status"`
	// Type must match all of the error's type; Message, Source and Stderr must match
	// somewhere in its message, in the program's line that failed, and in the end of
	// standard error. Their named groups are fields of sentences.
	Type    string `toml:"type"`
	Message string `toml:"message"`
	Source  string `toml:"source"`
	Stderr  string `toml:"stderr"`
	// Lookup is a field and a table, as in "module in native": the field must be in
	// the table, whose text is then the field "entry".
	Lookup string `toml:"lookup"`
	// Near is the same for words, of which one must be close: it is the field "near".
	Near string `toml:"near"`
	// Packaged is a field that must be in the catalogue of packages.
	Packaged string `toml:"packaged"`
	// Path is a field and where it must lead: "path outside", "path readable" or
	// "path writable".
	Path string `toml:"path"`
	// Network is whether the profile must grant some network.
	Network *bool `toml:"network"`
	// Say are the sentences. A field in braces stands for what was found, quoted; for
	// "{line}", "{source}", "{pointed}", "{directories}" and "{writable}" of the
	// failure; or for what the caller's interface has to say of a topic, such as
	// "{how.input}". A sentence with a field that is empty is left out.
	Say []string `toml:"say"`

	patterns [4]*regexp.Regexp // of Type, Message, Source and Stderr
}

// Load reads the rules in the folder of a runtime, which may have none: then they are
// nil. Every problem is reported; the error is of class [runtimes.ErrInvalid].
func Load(files fs.FS) (*Rules, error) {
	if files == nil {
		return nil, nil
	}
	file, err := files.Open(FileName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load guidance: %w", err)
	}
	defer file.Close() //nolint:errcheck // nothing was written
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("load guidance: %w", err)
	}
	return Parse(data)
}

// Parse reads rules. Parsing is strict: an unknown key, a pattern that is none, and a
// field that nothing fills are errors.
func Parse(data []byte) (*Rules, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("%w: %s: at most %d bytes are read", runtimes.ErrInvalid, FileName, maxFile)
	}
	var r Rules
	meta, err := toml.Decode(string(data), &r)
	if at, ok := errors.AsType[toml.ParseError](err); ok {
		return nil, fmt.Errorf("%w: %s:%d: %s", runtimes.ErrInvalid, FileName, at.Position.Line, strings.TrimSuffix(at.Message, "."))
	} else if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", runtimes.ErrInvalid, FileName, err)
	}
	var problems []error
	for _, key := range meta.Undecoded() {
		problems = append(problems, fmt.Errorf("%w: %s: unknown key %s", runtimes.ErrInvalid, FileName, key))
	}
	seen := map[string]bool{}
	for i, rule := range r.List {
		if rule.Name == "" || seen[rule.Name] {
			problems = append(problems, fmt.Errorf("%w: %s: rule %d needs a name of its own", runtimes.ErrInvalid, FileName, i+1))
		}
		seen[rule.Name] = true
		if err := rule.check(&r); err != nil {
			problems = append(problems, fmt.Errorf("%w: %s: rule %q: %w", runtimes.ErrInvalid, FileName, rule.Name, err))
		}
	}
	if r.Costly.Import != "" {
		if r.Costly.find, err = regexp.Compile(r.Costly.Import); err != nil {
			problems = append(problems, fmt.Errorf("%w: %s: costly.import: %w", runtimes.ErrInvalid, FileName, err))
		}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return &r, nil
}

// check compiles a rule's patterns and sees that everything it names is there.
func (r *Rule) check(all *Rules) error {
	if r.Status == "" {
		r.Status = "error"
	}
	known := map[string]bool{"line": true, "source": true, "pointed": true, "directories": true, "writable": true}
	for i, pattern := range []string{r.Type, r.Message, r.Source, r.Stderr} {
		if pattern == "" {
			continue
		}
		if i == 0 {
			pattern = "^(?:" + pattern + ")$"
		}
		var err error
		if r.patterns[i], err = regexp.Compile(pattern); err != nil {
			return err
		}
		for _, name := range r.patterns[i].SubexpNames() {
			known[name] = true
		}
	}
	var unknown []string
	needs := func(kind, condition, with string, targets ...string) {
		if condition == "" {
			return
		}
		field, target, ok := strings.Cut(condition, with)
		if !ok || !known[field] || !slices.Contains(targets, target) {
			unknown = append(unknown, fmt.Sprintf("%s %q", kind, condition))
		}
	}
	needs("lookup", r.Lookup, " in ", append(slices.Collect(maps.Keys(all.Tables)), "")...)
	needs("near", r.Near, " in ", append(slices.Collect(maps.Keys(all.Words)), "")...)
	if r.Packaged != "" && !known[r.Packaged] {
		unknown = append(unknown, fmt.Sprintf("packaged %q", r.Packaged))
	}
	needs("path", r.Path, " ", slices.Collect(maps.Keys(places))...)
	known["entry"], known["near"] = r.Lookup != "", r.Near != ""
	for _, sentence := range r.Say {
		for _, m := range field.FindAllStringSubmatch(sentence, -1) {
			name, isTopic := strings.CutPrefix(m[1], "how.")
			if isTopic && !slices.Contains(sayable, topic(name)) || !isTopic && !known[name] {
				unknown = append(unknown, fmt.Sprintf("field %q", m[0]))
			}
		}
	}
	switch {
	case len(unknown) > 0:
		return fmt.Errorf("nothing is known of %s", strings.Join(unknown, ", "))
	case len(r.Say) == 0 || len(r.Say) > MaxSentences:
		return fmt.Errorf("it says %d sentences, want 1 to %d", len(r.Say), MaxSentences)
	}
	return nil
}

var (
	field   = regexp.MustCompile(`\{([a-z_]+(?:\.[a-z]+)?)\}`)
	places  = map[string]place{"outside": outside, "readable": readable, "writable": writable}
	sayable = []topic{topicInput, topicFiles, topicWritable, topicPackages, topicInstall, topicPackage, topicNetwork}
)
