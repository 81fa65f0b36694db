package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/internal/sockets"
	httpd "github.com/sandboxd/sandboxd/plugins/http"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// daemonWait is how long a daemon may take to say who it is before it is left alone.
const daemonWait = 250 * time.Millisecond

// maxSent is the largest program, and the most input, that is handed to a daemon.
const maxSent = 1 << 20

// daemonError is what a daemon says of a request that it refused.
type daemonError struct{ fault httpd.Fault }

func (e *daemonError) Error() string { return e.fault.Message }

// Is makes the classes known that a command looks for.
func (e *daemonError) Is(target error) bool {
	switch e.fault.Kind {
	case "busy":
		return target == host.ErrBusy
	case "conflict":
		return target == host.ErrStateVersion && strings.Contains(e.fault.Message, host.ErrStateVersion.Error())
	}
	return false
}

// errDaemonGone means that it is not known how a program went.
var errDaemonGone = errors.New("the daemon ended while the program ran; it may have run in part")

// byDaemon lets the user's daemon run req, if there is one that is this very program
// with the same configuration, and if req is one that it gives the same result for. If
// not, ran is false and nothing was done. A request that a daemon took is never run a
// second time.
func (a *app) byDaemon(ctx context.Context, policy *policies.Policy, registry *runtimes.Registry, req host.Request, in *inSession, quiet bool) (out executed, ran bool, err error) {
	q, ok := a.forDaemon(policy, registry, req, in)
	if !ok {
		return executed{}, false, nil
	}
	path, err := a.socketPath("", policy.Server().Listen)
	if err != nil {
		return executed{}, false, nil //nolint:nilerr // there is no place for a daemon
	}
	if info, err := os.Lstat(path); err != nil || info.Mode().Type() != fs.ModeSocket {
		return executed{}, false, nil //nolint:nilerr // there is none
	}
	d := &daemonClient{http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return sockets.Dial(ctx, path)
		},
	}}}
	defer d.http.CloseIdleConnections()
	if !a.same(ctx, d, policy, registry) {
		return executed{}, false, nil
	}
	return a.hand(ctx, d, q, in, quiet)
}

// forDaemon is req as a daemon takes it. What a daemon may not be asked for is left to
// this process: directories of this machine, profiles of fuel, input that is not all there yet, what JSON
// cannot carry, and secrets of this process's own environment.
func (a *app) forDaemon(policy *policies.Policy, registry *runtimes.Registry, req host.Request, in *inSession) (q httpd.ExecuteRequest, ok bool) {
	if len(req.Mounts) > 0 || req.ProfileFuel || in == nil && req.Workspace != "" || len(req.Code) > maxSent {
		return q, false
	}
	if def, err := registry.Lookup(req.Language); err != nil || !def.BuiltIn {
		return q, false
	}
	profile, err := policy.Profile(req.Profile)
	if err != nil {
		return q, false // this process says so
	}
	for _, header := range profile.Network.Headers {
		if header.Env != "" {
			return q, false
		}
	}
	stdin, ok := smallInput(req.Stdin)
	if !ok {
		return q, false
	}
	q = httpd.ExecuteRequest{
		ID: rand.Text(), Language: req.Language, Code: string(req.Code), Filename: req.Filename, Args: req.Args, Env: req.Env,
		Stdin: stdin, Profile: req.Profile, WantValue: req.WantValue, Interface: req.Interface,
	}
	if q.Limits, ok = httpd.LimitsOf(req.Overrides); !ok {
		return q, false
	}
	if in != nil {
		q.SessionID, q.ResetState, q.NoWait = in.key.ID, in.flags.reset, in.flags.noWait
	}
	texts := append([]string{q.Code, q.Filename, q.Stdin}, q.Args...)
	for name, value := range q.Env {
		texts = append(texts, name, value)
	}
	for _, text := range texts {
		if !utf8.ValidString(text) {
			return q, false
		}
	}
	return q, true
}

// smallInput is the input of a program if all of it is there: nothing, or a small file.
// A pipe or a terminal might never end, and what was read of it could not be put back.
func smallInput(r io.Reader) (text string, ok bool) {
	if r == nil {
		return "", true
	}
	file, isFile := r.(*os.File)
	if !isFile {
		return "", false
	}
	info, err := file.Stat()
	if err != nil {
		return "", false
	}
	if null, err := os.Stat(os.DevNull); err == nil && os.SameFile(info, null) {
		return "", true
	}
	if !info.Mode().IsRegular() || info.Size() > maxSent {
		return "", false
	}
	at, err := file.Seek(0, io.SeekCurrent)
	if err != nil {
		return "", false
	}
	data := make([]byte, max(info.Size()-at, 0))
	if _, err := file.ReadAt(data, at); err != nil && !errors.Is(err, io.EOF) {
		return "", false
	}
	return string(data), true
}

// thisBuild tells this program from any other: a version alone does not while one is
// worked on.
func thisBuild() string {
	v := buildVersions()
	build := v.Sandboxd + " " + v.Revision
	if self, err := os.Executable(); err == nil {
		if info, err := os.Stat(self); err == nil {
			build += fmt.Sprintf(" %d %d", info.Size(), info.ModTime().UnixNano())
		}
	}
	return build
}

// same asks a daemon whether it is this program, with the same configuration.
func (a *app) same(ctx context.Context, d *daemonClient, policy *policies.Policy, registry *runtimes.Registry) bool {
	data, err := a.data()
	if err != nil {
		return false
	}
	configuration, err := configurationOf(thisBuild(), policy, registry, data, a.installedPackages(registry))
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, daemonWait)
	defer cancel()
	res, err := d.do(ctx, http.MethodGet, "/v1/about", "", nil)
	if err != nil {
		return false
	}
	defer res.Body.Close() //nolint:errcheck // nothing was written
	var about httpd.About
	if res.StatusCode != http.StatusOK || json.NewDecoder(io.LimitReader(res.Body, 1<<16)).Decode(&about) != nil {
		return false
	}
	return about.Configuration == configuration
}

// hand lets a daemon run a program, and passes its output on.
func (a *app) hand(ctx context.Context, d *daemonClient, q httpd.ExecuteRequest, in *inSession, quiet bool) (_ executed, ran bool, err error) {
	body, err := json.Marshal(q)
	if err != nil {
		return executed{}, false, err
	}
	// A signal cancels the program, and its result still comes.
	request, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	stop := context.AfterFunc(ctx, func() {
		if !d.cancel(request, q.ID) {
			abandon()
		}
	})
	defer stop()
	res, err := d.do(request, http.MethodPost, "/v1/execute", ifElse(quiet, "application/json", "application/x-ndjson"), body)
	if err != nil {
		if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
			return executed{}, false, nil
		}
		return executed{}, true, cmp.Or(ctx.Err(), errDaemonGone)
	}
	defer res.Body.Close() //nolint:errcheck // nothing was written
	if res.StatusCode != http.StatusOK {
		var p struct{ Error httpd.Fault }
		if json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&p) != nil || p.Error.Kind == "unavailable" {
			return executed{}, false, nil // it begins, or ends, and did nothing
		}
		return executed{}, true, &daemonError{p.Error}
	}
	result, midLine, err := a.receive(res.Body, quiet)
	if err != nil {
		return executed{}, true, err
	}
	if in != nil {
		in.out = &session.Outcome{Result: result.Result, Turn: result.Turn, Warnings: result.Warnings}
	}
	return executed{result.Result, midLine}, true, nil
}

// receive reads the answer to an execution: a result, after the output unless quiet.
func (a *app) receive(answer io.Reader, quiet bool) (_ *httpd.Result, midLine bool, err error) {
	dec := json.NewDecoder(answer)
	if quiet {
		var r httpd.Result
		if err := dec.Decode(&r); err != nil || r.Result == nil {
			return nil, false, errDaemonGone
		}
		return &r, false, nil
	}
	stdout := newGuestWriter(a.stdout, func() {}, &midLine)
	stderr := newGuestWriter(a.stderr, func() {}, &midLine)
	for {
		var e httpd.Event
		if err := dec.Decode(&e); err != nil {
			return nil, midLine, errors.Join(errDaemonGone, stdout.close(), stderr.close())
		}
		if e.Result != nil {
			return e.Result, midLine, errors.Join(stdout.close(), stderr.close())
		}
		if e.Error != nil {
			return nil, midLine, &daemonError{*e.Error}
		}
		to := stdout
		if e.Stream == "stderr" {
			to = stderr
		}
		piece := e.Base64
		if e.Data != "" {
			piece = []byte(e.Data)
		}
		_, _ = to.Write(piece) // it remembers its failure, and the program finishes
	}
}

// daemonClient makes requests of a daemon.
type daemonClient struct{ http *http.Client }

func (d *daemonClient) do(ctx context.Context, method, path, accept string, body []byte) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://localhost"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	return d.http.Do(r)
}

// cancel cancels an execution, and reports whether its result will come.
func (d *daemonClient) cancel(ctx context.Context, id string) bool {
	ctx, stop := context.WithTimeout(ctx, 2*time.Second)
	defer stop()
	body, err := json.Marshal(map[string]string{"id": id})
	if err != nil {
		return false
	}
	res, err := d.do(ctx, http.MethodPost, "/sandboxd.v1.Sandbox/CancelExecution", "", body)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}
