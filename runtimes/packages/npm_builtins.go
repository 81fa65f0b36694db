package packages

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// provided are the modules that JavaScript programs find without any package. They win
// over packages of their names.
var provided = []string{
	"assert", "assert/strict", "async_hooks", "buffer", "console", "constants", "crypto", "csv-simple", "diagnostics_channel",
	"events", "fs", "fs/promises", "json-utils", "module", "os", "path", "path/posix", "perf_hooks", "process",
	"querystring", "readline", "readline/promises", "sandbox-utils", "stream", "stream/consumers", "stream/promises", "stream/web",
	"string-utils", "string_decoder", "sys", "timers", "timers/promises", "url", "util", "util/types",
}

const (
	noProcesses = "a sandbox has no processes and no threads"
	noSockets   = "a sandbox has no sockets; fetch makes the requests that a profile grants"
	noTerminal  = "a sandbox has no terminal and no debugger"
)

// lacking are Node's modules that only say why they are not there, and why.
var lacking = map[string]string{
	"child_process": noProcesses, "cluster": noProcesses, "worker_threads": noProcesses,
	"dgram": noSockets, "dns": noSockets, "dns/promises": noSockets, "http": noSockets, "http2": noSockets, "https": noSockets,
	"net": noSockets, "tls": noSockets,
	"inspector": noTerminal, "repl": noTerminal, "tty": noTerminal,
	"v8": "the engine is another", "vm": "a sandbox has no other contexts",
	"zlib": "compression is not there yet",
}

// Builtins are the names of all modules that are there without any package, in order,
// whether they work or only say why not.
func Builtins() []string {
	return slices.Sorted(slices.Values(slices.Concat(provided, slices.Collect(maps.Keys(lacking)))))
}

// isBuiltin says whether a program that imports name gets a module of the runtime.
func isBuiltin(name string) bool {
	_, lacks := lacking[name]
	return lacks || slices.Contains(provided, name)
}

// npmInstead says what to use in place of packages that people ask for and that cannot
// work here.
var npmInstead = map[string]string{
	"@tensorflow/tfjs-node": "nothing here: run models outside and offer them as a tool",
	"bcrypt":                "bcryptjs, or pbkdf2Sync of Node's crypto",
	"better-sqlite3":        "JSON or CSV files: csv-parse reads them",
	"canvas":                "nothing here: write SVG as text",
	"deasync":               "await at the top of the program",
	"express":               "nothing here: a sandbox serves no network",
	"mongodb":               "a tool of the host's: programs have no sockets",
	"mysql2":                "a tool of the host's: programs have no sockets",
	"node-gyp":              "nothing here: there are no native modules",
	"pg":                    "a tool of the host's: programs have no sockets",
	"playwright":            "nothing here: there is no browser",
	"puppeteer":             "nothing here: there is no browser",
	"redis":                 "a tool of the host's: programs have no sockets",
	"sharp":                 "nothing here: write SVG as text, do image work outside",
	"sqlite3":               "JSON or CSV files: csv-parse reads them",
	"ws":                    "fetch, for what the profile grants",
}

// refuseNPM is the error for a package that cannot work in the sandbox.
func refuseNPM(name, why string) error {
	use := "look for a package of pure JavaScript, or another version of it"
	if other, ok := npmInstead[name]; ok {
		use = "use instead: " + other
	}
	return fmt.Errorf("%w: %s %s; %s", ErrInvalid, name, why, use)
}

// refuseLacking is the error for a package that needs modules of Node's which are not
// there.
func refuseLacking(name string, modules []string) error {
	var why []string
	for _, m := range modules {
		why = append(why, fmt.Sprintf("%q (%s)", m, lacking[m]))
	}
	return refuseNPM(name, "needs of Node what the sandbox does not have: "+strings.Join(why, ", "))
}
