package policies

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Guest paths that no mount may take.
const (
	// WorkspacePath is where every program finds its workspace.
	WorkspacePath = "/app"
	// ReservedPath is the host's own corner of the guest's filesystem.
	ReservedPath = "/.sandboxd"
)

// Bounds of mounts.
const (
	// MaxMounts is how many mounts a profile may have.
	MaxMounts = 64
	// MaxGuestPath is the longest guest path, in bytes.
	MaxGuestPath = 512
)

// Mount shows the guest a directory of the host.
type Mount struct {
	// Host is the directory on the host: absolute, with symbolic links
	// resolved when the mount was read, so that what was checked is what is
	// mounted.
	Host string
	// Guest is where the guest sees it: an absolute, clean, slash-separated
	// path.
	Guest string
	// Writable lets the guest change what is in it. The zero value is the safe
	// one.
	Writable bool
	// File, if set, is the name of the one file in Host that the guest sees, at Guest
	// itself, read-only. No policy file can say so; see package host/external.
	File string
}

// shown is what the guest sees of the host.
func (m Mount) shown() string { return filepath.Join(m.Host, m.File) }

// mode returns the mount's mode as it is written in a file.
func (m Mount) mode() string {
	if m.Writable {
		return "rw"
	}
	return "ro"
}

// ParseMount reads "host:guest[:ro|rw]" as a person types it, "ro" being the
// default. A relative host directory is relative to the process's working
// directory. It must exist. Errors are [ErrInvalid].
func ParseMount(s string) (Mount, error) {
	rest, mode := s, "ro"
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.Contains(s[i:], "/") {
		rest, mode = s[:i], s[i+1:]
	}
	writable, err := parseMode(mode)
	if err != nil {
		return Mount{}, invalidf("mount %s: %v", quote(s), err)
	}
	// The guest path starts at the last ":/": host names may hold colons.
	i := strings.LastIndex(rest, ":/")
	if i < 0 {
		return Mount{}, invalidf("mount %s: write it as host:guest or host:guest:rw, such as ./data:/data", quote(s))
	}
	m := Mount{Guest: rest[i+1:], Writable: writable}
	if err := checkGuestPath(m.Guest); err != nil {
		return Mount{}, invalidf("mount %s: %v", quote(s), err)
	}
	if m.Host, err = resolveHost(".", rest[:i]); err != nil {
		return Mount{}, invalidf("mount %s: %v", quote(s), err)
	}
	return m, nil
}

func parseMode(mode string) (writable bool, err error) {
	switch mode {
	case "ro":
		return false, nil
	case "rw":
		return true, nil
	}
	return false, invalidf(`mode %s is unknown; write "ro" (read only) or "rw" (read and write)`, quote(mode))
}

// check says whether a mount that did not come from this package is sound.
func (m Mount) check() error {
	if !filepath.IsAbs(m.Host) {
		return invalidf("host directory %q is not absolute", m.Host)
	}
	if isRoot(m.Host) {
		return errMountsRoot
	}
	if m.File != "" && (m.Writable || filepath.Base(m.File) != m.File || m.File == "." || m.File == "..") {
		return invalidf("file %q cannot be mounted", m.File)
	}
	return checkGuestPath(m.Guest)
}

// clash says how two mounts get in each other's way; "" when they do not. Host
// directories count too: one tree that is read-only at one place and writable
// at another is not read-only.
func (m Mount) clash(other Mount) string {
	switch {
	case within(m.Guest, other.Guest, "/"), within(other.Guest, m.Guest, "/"):
		return "guest path " + quote(m.Guest) + " overlaps with " + quote(other.Guest) + "; mount them side by side"
	case within(m.shown(), other.shown(), string(filepath.Separator)), within(other.shown(), m.shown(), string(filepath.Separator)):
		return "host directory " + quote(m.shown()) + " overlaps with " + quote(other.shown()) +
			", which is mounted at " + quote(other.Guest) + "; mount each directory once"
	}
	return ""
}

// within says whether p is dir or lies in it; both are clean.
func within(p, dir, separator string) bool {
	return p == dir || strings.HasPrefix(p, strings.TrimSuffix(dir, separator)+separator)
}

func checkGuestPath(p string) error {
	switch {
	case p == "":
		return invalidf(`guest path is missing; write an absolute one such as "/data"`)
	case len(p) > MaxGuestPath:
		return invalidf("guest path of %d bytes is above the maximum of %d", len(p), MaxGuestPath)
	case !utf8.ValidString(p), strings.ContainsFunc(p, func(r rune) bool { return !unicode.IsPrint(r) }):
		return invalidf("guest path %q holds a character that cannot be shown; use plain names", p)
	case !strings.HasPrefix(p, "/"):
		return invalidf("guest path %q is not absolute; write %q", p, path.Clean("/"+p))
	case path.Clean(p) != p:
		return invalidf("guest path %q is not in its shortest form; write %q", p, path.Clean(p))
	case p == "/":
		return invalidf(`guest path "/" is the guest's own root; choose one below it, such as "/data"`)
	case within(p, WorkspacePath, "/"):
		return invalidf(`guest path %q is reserved for the workspace; choose another, such as "/data"`, p)
	case within(p, ReservedPath, "/"):
		return invalidf(`guest path %q is reserved for sandboxd; choose another, such as "/data"`, p)
	}
	return nil
}

var errMountsRoot = invalidf("host directory is the root of the host; mount only the directory that is needed")

// resolveHost returns the absolute, link-free path of the directory that p
// names from dir.
func resolveHost(dir, p string) (string, error) {
	switch {
	case p == "":
		return "", invalidf("host directory is missing; write its path")
	case strings.HasPrefix(p, "~"):
		return "", invalidf(`host directory %q: "~" is not expanded; write the path in full`, p)
	case strings.ContainsRune(p, 0):
		return "", invalidf("host directory %q holds a NUL character", p)
	}
	if !filepath.IsAbs(p) {
		p = filepath.Join(dir, p)
	}
	abs, err := filepath.Abs(p)
	if err != nil {
		return "", invalidf("host directory %q: %v", p, err)
	}
	resolved, err := filepath.EvalSymlinks(abs)
	if errors.Is(err, fs.ErrNotExist) {
		return "", invalidf("host directory %q does not exist; create it or correct the path", abs)
	}
	if err != nil {
		return "", invalidf("host directory %q cannot be resolved: %v", abs, pathCause(err))
	}
	info, err := os.Stat(resolved)
	switch {
	case err != nil:
		return "", invalidf("host directory %q cannot be read: %v", abs, pathCause(err))
	case !info.IsDir():
		return "", invalidf("host directory %q is not a directory; mount the directory it is in", abs)
	case isRoot(resolved):
		return "", errMountsRoot
	}
	return resolved, nil
}

// isRoot says whether an absolute path is the root of a filesystem tree.
func isRoot(p string) bool { return filepath.Dir(p) == filepath.Clean(p) }

// pathCause strips the operation and the path, which the message already has.
func pathCause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}
