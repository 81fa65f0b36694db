package runtimes

import (
	"bytes"
	"strings"
)

// maxShebang is how much of a first line is looked at, in bytes; Linux itself
// reads 255 (BINPRM_BUF_SIZE in include/uapi/linux/binfmts.h).
const maxShebang = 1024

// ByShebang returns the runtime that line asks for, where line starts with the
// first line of a program and may go on. The interpreter counts by its base
// name, found through env if need be, and with its version dropped where the
// full name is unknown: "#!/usr/bin/env python3" and "#!/usr/bin/python3.12 -I"
// both mean python.
func (r *Registry) ByShebang(line []byte) (*Definition, bool) {
	line, found := bytes.CutPrefix(line[:min(len(line), maxShebang)], []byte("#!"))
	if !found {
		return nil, false
	}
	line, _, _ = bytes.Cut(line, []byte("\n"))
	words := strings.Fields(string(line))
	if len(words) > 0 && baseName(words[0]) == "env" {
		words = afterEnv(words[1:])
	}
	if len(words) == 0 {
		return nil, false
	}
	name := baseName(words[0])
	for name != "" {
		if d, ok := r.names[name]; ok && !d.Project {
			return d, true
		}
		name = dropVersion(name)
	}
	return nil, false
}

// afterEnv skips what env itself takes: options and VAR=value pairs. The value
// of -S is the start of the command.
func afterEnv(words []string) []string {
	for len(words) > 0 {
		word := words[0]
		rest, isSplit := strings.CutPrefix(word, "-S")
		switch {
		case isSplit && rest != "":
			return append([]string{rest}, words[1:]...)
		case strings.HasPrefix(word, "-"), strings.Contains(word, "="):
			words = words[1:]
		default:
			return words
		}
	}
	return nil
}

func baseName(path string) string {
	return path[strings.LastIndexByte(path, '/')+1:]
}

// dropVersion removes the last part of a version from the end of a name:
// "python3.12" becomes "python3", then "python", then "".
func dropVersion(name string) string {
	short := strings.TrimRight(name, "0123456789")
	if short == name {
		return ""
	}
	return strings.TrimSuffix(short, ".")
}
