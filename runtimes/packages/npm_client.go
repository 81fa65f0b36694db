package packages

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// runNPM runs the npm client on PATH in a directory that is declared to be its project,
// so that no other project's configuration applies. The client knows the user's
// registry, credentials and proxies, so this package names no registry.
//
// No script of a package is run, and nothing is fetched but from the registry: a package
// could ask for another by a path of this machine, or by an address that git is run on. An
// npm that does not know the options for that yet has no git to run.
func runNPM(ctx context.Context, project string, about string, args ...string) error {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return fmt.Errorf("%w: npm was not found on PATH: install Node.js, which brings it; packages that were added before work without it", ErrUnavailable)
	}
	all := append([]string{
		args[0], "--prefix=" + project, "--ignore-scripts", "--dry-run=false", "--workspaces=false", "--global=false",
		"--allow-git=none", "--git=git-is-not-used", "--allow-file=none", "--allow-directory=none",
		"--loglevel=error", "--progress=false", "--update-notifier=false",
		"--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000",
	}, args[1:]...)
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, npm, all...) // #nosec G204 -- what came from users was checked and stands behind "--"
	cmd.Dir, cmd.Stderr, cmd.WaitDelay = project, &limited{to: &said}, pipGrace
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%w: npm could not fetch %s: %w%s%s", ErrUnavailable, about, err, npmHint(said.String()), shown(said.String()))
	}
	return nil
}

// npmHints are what to do about the error codes that npm prints.
var npmHints = []struct {
	codes []string
	hint  string
}{
	{[]string{"ENOSPC", "EDQUOT"}, ": the disk is full"},
	{[]string{"E404", "ETARGET", "ENOVERSIONS"}, ": the registry does not have it: check the name and the version"},
	{[]string{"E401", "E403", "ENEEDAUTH"}, ": the registry refused: check npm's credentials"},
	{
		[]string{"ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH"},
		": the registry could not be reached: check the network and npm's proxy settings",
	},
	{[]string{"EALLOWGIT", "EALLOWREMOTE", "EALLOWFILE", "EALLOWDIRECTORY"}, ": it needs a package that is not from the registry, which is not fetched"},
}

func npmHint(said string) string {
	for _, h := range npmHints {
		for _, code := range h.codes {
			if strings.Contains(said, code) {
				return h.hint
			}
		}
	}
	return ""
}

// npmResolve has npm choose the versions of a package and of all that it needs. Nothing
// but npm's lock file is made of it.
func npmResolve(ctx context.Context, dir, name, version string) (*NPMPackage, error) {
	project := filepath.Join(dir, "project")
	if err := os.Mkdir(project, 0o700); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	spec := name + "@" + version
	err := runNPM(ctx, project, spec, "install", "--package-lock-only", "--package-lock=true", "--lockfile-version=3",
		"--allow-remote=none", "--save=true", "--audit=false", "--fund=false", "--", spec)
	if err != nil {
		return nil, err
	}
	data, err := readBounded(filepath.Join(project, "package-lock.json"), maxPackageLock)
	if err != nil {
		return nil, err
	}
	return readPackageLock(name, data)
}

// npmPack has npm fetch the archives of packages, and returns where they are by their
// SHA-512. Their names say nothing: npm gives one to packages of different ones.
func npmPack(ctx context.Context, dir string, pins []NPMDependency) (map[string]string, error) {
	found := map[string]string{}
	const together = 40 // bounds the command line
	for round, n := 0, together; len(pins) > 0; round++ {
		some := pins[:min(len(pins), n)]
		if err := npmPackInto(ctx, filepath.Join(dir, fmt.Sprint("pack-", round)), some, found); err != nil {
			return nil, err
		}
		var missing []NPMDependency
		for _, p := range pins {
			if found[p.Integrity] == "" {
				missing = append(missing, p)
			}
		}
		switch {
		case len(missing) == 0 || missing[0] != some[0]:
			n = together
		case n > 1:
			n = 1 // another had its archive's name
		default:
			return nil, fmt.Errorf("%w: %s@%s is pinned to %s, and the registry has another", ErrDigest, some[0].Name, some[0].Version, some[0].Integrity)
		}
		pins = missing
	}
	return found, nil
}

// npmPackInto is npmPack of some packages, once.
func npmPackInto(ctx context.Context, dir string, pins []NPMDependency, found map[string]string) error {
	project, packed := filepath.Join(dir, "project"), filepath.Join(dir, "packed")
	for _, sub := range []string{project, packed} {
		if err := os.MkdirAll(sub, 0o700); err != nil {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	var specs []string
	for _, p := range pins {
		specs = append(specs, p.Name+"@"+p.Version)
	}
	args := append([]string{"pack", "--pack-destination=" + packed, "--"}, specs...)
	if err := runNPM(ctx, project, strings.Join(specs, " "), args...); err != nil {
		return err
	}
	return sortByIntegrity(packed, found)
}

// readBounded reads a file that another program wrote.
func readBounded(path string, most int64) ([]byte, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %s was not written", ErrUnavailable, filepath.Base(path))
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	case !info.Mode().IsRegular() || info.Size() > most:
		return nil, fmt.Errorf("%w: %s is no file of at most %d MiB", ErrInvalid, filepath.Base(path), most>>20)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return data, nil
}
