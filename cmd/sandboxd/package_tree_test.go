package main

import (
	"strings"
	"testing"
)

// breaksOff is a module at which CPython 3.12 and 3.13 break off: their compiler has room
// for some twenty comprehensions inside of each other, and does not count them.
var breaksOff = "a = " + strings.Repeat("[", 30) + "0" + strings.Repeat(" for a in b]", 30) + "\n"

// A package that cannot be compiled stays as it is, and keeps no other from programs.
func TestModulesThatBreakTheInterpreterOff(t *testing.T) {
	data, config := preloadData(t, "[server]\nharden = false\n")
	modules := map[string]string{"light==1.0": ready["light==1.0"]}
	run := func(program string) (code int, stdout, stderr string) {
		t.Helper()
		install(t, data, modules)
		return runMain(t, data, "run", "--no-daemon", "--config", config, "-c", program)
	}
	const quick = "import light\nprint(type(light.__loader__).__module__)"

	modules["strange==1.0"] = breaksOff
	if code, stdout, stderr := run(quick); code != 0 || stdout != "_sandbox_packages\n" {
		t.Errorf("beside a strange package: exit code %d, %q, %s", code, stdout, stderr)
	}
	if code, _, stderr := run("import strange"); code != 134 || !strings.Contains(stderr, "sandboxd: the interpreter broke off: ") {
		t.Errorf("importing it: exit code %d, %s", code, stderr)
	}
}
