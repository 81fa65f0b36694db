package runtimes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The test binary doubles as a fake npm: installFakeNPM puts it on PATH under
// that name and these variables tell it what to do.
const (
	fakeMode = "SANDBOXD_FAKE_NPM"         // what to do
	fakeFile = "SANDBOXD_FAKE_NPM_TARBALL" // the package it serves
	fakeLog  = "SANDBOXD_FAKE_NPM_LOG"     // a file that gets one line for each run
	fakeDial = "SANDBOXD_FAKE_NPM_DIAL"    // an address to hang on
	childDir = "SANDBOXD_TEST_FETCH_INTO"  // makes the binary fetch into this cache and exit
)

func TestMain(m *testing.M) {
	switch {
	case strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe") == "npm":
		os.Exit(fakeNPM(os.Getenv(fakeMode), os.Args[1:]))
	case os.Getenv(childDir) != "":
		os.Exit(fetchInChild(os.Getenv(childDir)))
	}
	os.Exit(m.Run())
}

// installFakeNPM makes the npm on PATH behave as mode says and serve a package
// with the given files.
func installFakeNPM(t *testing.T, mode string, files ...member) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, "npm")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	tarball := filepath.Join(t.TempDir(), "package.tgz")
	if err := os.WriteFile(tarball, archiveOf(t, files...), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	t.Setenv(fakeMode, mode)
	t.Setenv(fakeFile, tarball)
	t.Setenv(fakeLog, filepath.Join(t.TempDir(), "log"))
}

// npmRuns returns how often the fake npm ran.
func npmRuns(t *testing.T) int {
	t.Helper()
	log, err := os.ReadFile(os.Getenv(fakeLog))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Count(string(log), "\n")
}

// What real npm 11 printed, with the addresses changed.
const (
	npmSaid404 = `npm error code E404
npm error 404 Not Found - GET https://registry.example/@scope%2flang
npm error 404
npm error 404  The requested resource '@scope/lang@1.2.3' could not be found or you do not have permission to access it.
npm error 404
npm error 404 Note that you can also install from a
npm error 404 tarball, folder, http url, or git url.
npm error A complete log of this run can be found in: /home/me/.npm/_logs/0.log
`
	npmSaidRefused = `npm error code ECONNREFUSED
npm error syscall connect
npm error errno ECONNREFUSED
npm error FetchError: request to https://registry.example/@scope%2flang failed, reason: connect ECONNREFUSED 127.0.0.1:9
npm error     at ClientRequest.<anonymous> (/usr/lib/node_modules/npm/index.js:130:14)
npm error     at onSocketNT (node:_http_client:904:5) {
npm error   code: 'ECONNREFUSED',
npm error   port: 9,
npm error }
npm error
npm error If you are behind a proxy, please make sure that the 'proxy' config is set properly.  See: 'npm help config'
npm error A complete log of this run can be found in: /home/me/.npm/_logs/0.log
`
	npmSaidNoSpace = `npm error code ENOSPC
npm error syscall write
npm error errno -28
npm error nospc ENOSPC: no space left on device, write
npm error nospc There appears to be insufficient space on your system to finish.
npm error nospc Clear up some disk space and try again.
npm error A complete log of this run can be found in: /home/me/.npm/_logs/0.log
`
)

// fakeNPM is the fake's main.
func fakeNPM(mode string, args []string) int {
	if err := logRun(args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	fail := func(text string) int {
		fmt.Fprint(os.Stderr, text)
		return 1
	}
	switch mode {
	case "ok":
		if err := pack(args); err != nil {
			return fail("fake npm: " + err.Error())
		}
		return 0
	case "nothing":
		return 0
	case "silent":
		return 7
	case "404":
		return fail(npmSaid404)
	case "offline":
		return fail(npmSaidRefused)
	case "full":
		return fail(npmSaidNoSpace)
	case "hostile":
		return fail(strings.Repeat("x", 1<<20) + "\n\x1b[31mred\x1b[0m \xff \u202e\n" + strings.Repeat("y", 1000) + "\n")
	case "hang":
		// A child as well: real npm starts processes of its own.
		child := exec.Command(os.Args[0], args...)
		child.Env = append(os.Environ(), fakeMode+"=hang-alone")
		child.Stderr = os.Stderr
		if err := child.Start(); err != nil {
			return fail(err.Error())
		}
		return hang()
	case "hang-alone":
		return hang()
	default:
		return fail("fake npm: unknown mode " + mode)
	}
}

func logRun(args []string) error {
	log, err := os.OpenFile(os.Getenv(fakeLog), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(log, "%q\n", args)
	return errors.Join(err, log.Close())
}

// pack does what npm pack does, and checks that it was asked to in the way that
// keeps other people's configuration and code out.
func pack(args []string) error {
	end := slices.Index(args, "--")
	if end < 0 || !slices.Equal(args[end+1:], []string{testPackage}) || args[0] != "pack" {
		return fmt.Errorf("asked for %q", args)
	}
	var destination, prefix string
	for _, arg := range args[1:end] {
		if dir, ok := strings.CutPrefix(arg, "--pack-destination="); ok {
			destination = dir
		}
		if dir, ok := strings.CutPrefix(arg, "--prefix="); ok {
			prefix = dir
		}
	}
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	found, err := os.ReadDir(here)
	if err != nil {
		return err
	}
	if len(found) > 0 || prefix != here || !slices.Contains(args[:end], "--ignore-scripts") {
		return fmt.Errorf("in %s, which holds %v, with %q", here, found, args)
	}
	tarball, err := os.ReadFile(os.Getenv(fakeFile))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(destination, "scope-lang-1.2.3.tgz"), tarball, 0o600)
}

// hang connects to the test and stays until the test, or a signal, ends it.
func hang() int {
	conn, err := net.Dial("tcp", os.Getenv(fakeDial))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	_, _ = io.Copy(io.Discard, conn)
	return 0
}

// fetchInChild is the main of a process that only fetches.
func fetchInChild(dir string) int {
	s, err := OpenStore(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if _, err := s.Fetch(context.Background(), npmDefinition(), nil); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
