package runtimes

import (
	"fmt"
	"io/fs"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// drivers lists the words that driver may be.
var drivers = []string{DriverCPython, DriverQuickJS, DriverRuby, DriverExtism, DriverCommand}

// The shapes of what a runtime.toml may hold. They are narrow because the
// values end up in file names, in messages and on npm's command line.
var (
	nameShape      = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)
	versionShape   = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$`)
	extensionShape = regexp.MustCompile(`^\.[a-z0-9][a-z0-9_+-]{0,15}$`)
	digestShape    = regexp.MustCompile(`^[0-9a-f]{64}$`)
	pathShape      = regexp.MustCompile(`^[0-9A-Za-z@._/ +-]{1,255}$`)

	// npmShape is a package name as npm has accepted since 2017, with one exact
	// version in it: ranges, tags and addresses are not pins.
	//
	// See https://docs.npmjs.com/cli/configuring-npm/package-json#name and
	// https://semver.org.
	npmShape = regexp.MustCompile(`^(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*` +
		`@[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)
)

// Each bad function says what is wrong with a value, or nothing.

func badName(s string) string {
	if nameShape.MatchString(s) {
		return ""
	}
	return quote(s) + " is not a name: use a lower-case letter, then at most 31 of a-z, 0-9, _ and -"
}

func badVersion(s string) string {
	if versionShape.MatchString(s) {
		return ""
	}
	return quote(s) + " is not a version: use at most 64 letters, digits, dots, plus signs, underscores and hyphens"
}

func badDriver(s string) string {
	if slices.Contains(drivers, s) {
		return ""
	}
	return fmt.Sprintf("%s is not a driver%s; drivers are %s", quote(s), didYouMean(s, drivers), strings.Join(drivers, ", "))
}

func badExtension(s string) string {
	switch {
	case extensionShape.MatchString(s):
		return ""
	case extensionShape.MatchString("." + strings.ToLower(strings.TrimPrefix(s, "."))):
		return fmt.Sprintf("%s must be written %s, in lower case with its dot",
			quote(s), quote("."+strings.ToLower(strings.TrimPrefix(s, "."))))
	default:
		return quote(s) + " is not a file name extension: use a dot, then at most 16 of a-z, 0-9, _, + and -"
	}
}

func badDigest(s string) string {
	switch {
	case digestShape.MatchString(s):
		return ""
	case digestShape.MatchString(strings.ToLower(s)):
		return quote(s) + " must be in lower case"
	default:
		return quote(s) + " is not a SHA-256, which has 64 hexadecimal digits"
	}
}

func badPath(s string) string {
	switch {
	case strings.HasPrefix(s, "/"), strings.Contains(s, `\`):
		return quote(s) + " must be a relative path with forward slashes"
	case !fs.ValidPath(s), s == ".":
		return quote(s) + " must be a plain path to a file, without ., .. or empty parts"
	case !pathShape.MatchString(s):
		return quote(s) + " may hold only letters, digits, spaces and @ . _ / + - (at most 255)"
	default:
		return ""
	}
}

func badNPM(s string) string {
	if len(s) <= 256 && npmShape.MatchString(s) {
		return ""
	}
	return quote(s) + ` is not a package at one exact version, such as "@scope/name@1.2.3"`
}

func badHTTPS(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil, len(s) > 2048, u.Host == "" && u.Scheme == "https":
		return quote(s) + " is not an https address"
	case u.Scheme != "https":
		return quote(s) + " must begin with https://"
	case u.User != nil:
		return "the address must not hold a user name or password"
	case u.RawQuery != "" || u.Fragment != "":
		return "the address must not have a query or a fragment"
	default:
		return ""
	}
}

func badOCI(s string) string {
	_, _, err := splitOCI(s)
	switch {
	case strings.HasPrefix(s, OCIPrefix):
		return quote(s) + " must be written without " + OCIPrefix
	case len(s) > 1024 || err != nil:
		return quote(s) + " is not the address of a module in a registry, such as \"registry.example/team/lua:5.4\""
	}
	return ""
}
