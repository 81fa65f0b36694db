package guidance

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Interface says through which door a call came in, so that advice names what its
// caller has. The zero value is [Library].
type Interface string

// The interfaces of sandboxd.
const (
	Library Interface = ""     // a Go program that calls the host package
	CLI     Interface = "cli"  // the command "sandboxd run"
	MCP     Interface = "mcp"  // a tool of the Model Context Protocol server
	RPC     Interface = "rpc"  // gRPC, as go-plugin or over a socket
	HTTP    Interface = "http" // HTTP and JSON
)

// Interfaces are all of them.
func Interfaces() []Interface { return []Interface{Library, CLI, MCP, RPC, HTTP} }

// A topic is something that a caller may do about a failure, other than to change the
// program.
type topic string

const (
	topicRaise    topic = "raise"    // raise a limit that the profile lets requests raise
	topicProfile  topic = "profile"  // have more than the profile lets requests have
	topicInput    topic = "input"    // give the program standard input
	topicFiles    topic = "files"    // let the program see more files
	topicWritable topic = "writable" // let it change them
	topicPackages topic = "packages" // see which packages there are
	topicInstall  topic = "install"  // have one of a catalogue, where the language has one
	topicPackage  topic = "package"  // have one that is not there
	topicNetwork  topic = "network"  // let the program make requests
	topicMeasure  topic = "measure"  // see where fuel went
	topicReport   topic = "report"   // learn more of a failure of sandboxd's own
)

// phrases are what each interface has for each topic. Names of things are in
// backquotes, and exist: the tests of an interface check those that [Names] gives.
// An interface without a phrase for a topic has nothing to offer there.
//
// {value}, {flag}, {field}, {param} and {key} are a limit, with what it is called in the
// command line, in policies.Overrides, in a server's requests and in sandbox.toml;
// {profile} is the profile.
var phrases = map[Interface]map[topic]string{
	CLI: {
		topicRaise:    "To allow more, run it again with `--{flag} {value}`.",
		topicProfile:  "Profile {profile} does not let a call ask for more: use another `--profile` (`sandboxd profiles list` shows them), or raise `{key}` in `sandbox.toml`.",
		topicInput:    "Give it input with `--stdin FILE`, or pipe some into `sandboxd run`.",
		topicFiles:    "Show it a directory with `--mount HOST:GUEST`, or work in one with `--workspace DIRECTORY`.",
		topicWritable: "A directory that it may change is `--workspace DIRECTORY`, or `--mount HOST:GUEST:rw`.",
		topicInstall:  "`sandboxd packages list` shows which packages there are, and `sandboxd packages add`, with `--lang`, installs some.",
		topicPackage:  "Put the package into a directory, show it with `--mount HOST:/packages`, and make the program look there.",
		topicNetwork:  "The operator of the profile can list the requests it needs under `network.allow` in `sandbox.toml`.",
		topicMeasure:  "`--profile-fuel` shows which functions used it.",
	},
	Library: {
		topicRaise:    "To allow more, set `Overrides.{field}` of the `Request` to {value}.",
		topicProfile:  "Profile {profile} does not let a request ask for more: name another in `Profile` of the `Request`, or raise `{key}` in the policy.",
		topicInput:    "Give it input with `Stdin` of the `Request`.",
		topicFiles:    "Show it a directory with `Mounts`, or let it work in one with `Workspace` of the `Request`.",
		topicWritable: "A directory that it may change is `Workspace`, or one of `Mounts` that is `Writable`.",
		topicPackage:  "Put the package into a directory, show it with `Mounts` of the `Request`, and make the program look there.",
		topicNetwork:  "The profile can list the requests it needs under `network.allow`.",
		topicMeasure:  "`ProfileFuel` of the `Request` shows which functions used it.",
		topicReport:   "`Log` of the `Options` has the failure in full.",
	},
	MCP: {
		topicProfile:  "Profile {profile} does not allow more: call `execute_code` with another `profile` (`list_profiles` shows them).",
		topicInput:    "Give it input with `stdin` of `execute_code`.",
		topicFiles:    "Give it files with `files` of `execute_code`, or put them into a session with `write_file`; `list_files` shows what is there.",
		topicPackages: "`list_available_packages` shows which packages there are.",
		topicNetwork:  "Only the operator can allow requests; give it the data with `files` of `execute_code` instead.",
	},
	RPC:  ofServers,
	HTTP: ofServers,
}

// ofServers is what RPC and HTTP share: their requests have the same fields.
var ofServers = map[topic]string{
	topicRaise:   "To allow more, set `limits.{param}` of the request to {value}.",
	topicProfile: "Profile {profile} does not allow more: name another `profile` in the request.",
	topicInput:   "Give it input with `stdin` of the request.",
	topicFiles:   "Give it files with `files` of the request, or put them into a session.",
	topicNetwork: "Only the operator can allow requests, in the profile's `network.allow`.",
}

// raisers are the interfaces that can raise only some limits, with the parameters that
// do.
var raisers = map[Interface]map[string]string{
	MCP: {"timeout": "To allow more, call `execute_code` with `timeout` {value}."},
}

// limit is one that a profile sets and a request may raise.
type limit struct {
	key   string // in sandbox.toml
	flag  string // of "sandboxd run"; empty when there is none
	field string // of policies.Overrides
}

var limits = map[string]limit{
	"fuel":           {"fuel", "fuel", "Fuel"},
	"memory":         {"memory", "memory", "Memory"},
	"timeout":        {"timeout", "timeout", "Timeout"},
	"stdout":         {"stdout", "stdout", "Stdout"},
	"stderr":         {"stderr", "stderr", "Stderr"},
	"disk.quota":     {"disk.quota", "disk", "DiskQuota"},
	"disk.files":     {"disk.files", "files", "DiskFiles"},
	"disk.file_size": {"disk.file_size", "", "DiskFileSize"},
}

// raise is the sentence about raising a limit to value, which the profile may or may
// not let requests do.
func (i Interface) raise(key, value, profile string, overridable bool) string {
	l := limits[key]
	sentence := phrases[i][topicProfile]
	raise := cmp.Or(phrases[i][topicRaise], raisers[i][key])
	if overridable && raise != "" && (l.flag != "" || i != CLI) {
		sentence = raise
	}
	return strings.NewReplacer("{value}", value, "{flag}", l.flag, "{field}", l.field, "{param}", strings.ReplaceAll(l.key, ".", "_"), "{key}", l.key, "{profile}", quote(profile)).Replace(sentence)
}

var named = regexp.MustCompile("`([^`]+)`")

// Names are the names of things that an interface's advice may contain, in
// alphabetical order: for tests of the interface to check that they exist. Those of
// the command line are what people type, such as "--stdin FILE".
func Names(i Interface) []string {
	names := map[string]bool{}
	collect := func(sentence string) {
		for _, match := range named.FindAllStringSubmatch(sentence, -1) {
			names[match[1]] = true
		}
	}
	for _, sentence := range phrases[i] {
		if !strings.Contains(sentence, "{flag}") && !strings.Contains(sentence, "{field}") && !strings.Contains(sentence, "{param}") && !strings.Contains(sentence, "{key}") {
			collect(sentence)
		}
	}
	for key := range limits {
		collect(i.raise(key, "1", "p", true))
		collect(i.raise(key, "1", "p", false))
	}
	return slices.Sorted(maps.Keys(names))
}
