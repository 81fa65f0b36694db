package mcp

import (
	"fmt"
	"strings"
	"time"
)

// instructions say to a model, once, what the server is for.
func (c *client) instructions() string {
	return lines(
		"sandboxd runs programs in an isolated sandbox: fresh for each call, with limits on instructions, memory, time, output and files, and no network unless a profile grants it.",
		"Use execute_code to compute, to check code, and to work on data; print what you need. For work of several steps make a session first, with create_session, and pass its session_id.",
		"When a program fails, the result's error says what to do next: follow its guidance and run it again.",
	)
}

// describeExecution is what a model reads of execute_code.
func (c *client) describeExecution() string {
	var names []string
	for _, d := range c.service.Runtimes() {
		names = append(names, d.Name)
	}
	p := c.profiles[0]
	text := []string{
		fmt.Sprintf("Run a program (%s) in an isolated sandbox, and get what it printed, the files it changed and what it used.", strings.Join(names, ", ")),
		"",
		"When to use: to compute, parse, convert or check something exactly, to try code before you give it to the user, to make files and plots. Print what you need; in Python the value of the last expression is returned too.",
		"Files: the program works in /app; relative paths are there. Give it files with \"files\", or use a session. Without session_id everything is fresh and gone afterwards; with it, files stay, and variables too if the session keeps state. PNG, JPEG and SVG files that it writes, and what it gives to display(), are shown to you.",
		fmt.Sprintf("Limits of profile %q, unless you name another: %s; timeout at most %g seconds.", p.Name, limitsOf(p), time.Duration(p.Timeout).Seconds()),
		"There are no processes, no threads and " + c.network() + " Packages cannot be installed: list_available_packages shows what there is.",
	}
	if len(c.external) > 0 {
		var paths []string
		for _, m := range c.external {
			paths = append(paths, m.Guest)
		}
		text = append(text, "Read-only files of the user's: "+strings.Join(paths, ", ")+".")
	}
	text = append(text, "",
		"Failures: success is false, status says why (error, out_of_fuel, out_of_memory, timeout, disk_quota, output_limit, canceled), and error has type, message, line and guidance: do what guidance says.",
		"", "Examples:",
		`{"code": "print(sum(range(10**6)))"}`,
		`{"code": "import csv\nrows = list(csv.DictReader(open('data.csv')))\nprint(len(rows))", "files": [{"path": "data.csv", "content": "a,b\n1,2\n"}]}`,
		`{"code": "total = sum(values)\nprint(total)", "session_id": "report", "timeout": 5}`,
	)
	return lines(text...)
}

// reachesOut reports whether a program of some profile may use the network.
func (c *client) reachesOut() bool {
	for _, p := range c.profiles {
		if len(p.Network.Allow) > 0 {
			return true
		}
	}
	return false
}

// network says what a program may ask of the network.
func (c *client) network() string {
	if c.reachesOut() {
		return "no network but what the profile allows (see list_profiles)."
	}
	return "no network."
}
