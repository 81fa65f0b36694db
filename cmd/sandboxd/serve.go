package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/internal/sockets"
	"github.com/sandboxd/sandboxd/policies"
)

const serveLong = `Serve programs to other programs until a termination signal arrives.

The daemon listens on a Unix socket that only its own user, and root, can connect to.
With --tcp, or tcp in [server.listen] of the policy, it listens on a network as well:
there, callers need one of the tokens of [[server.tokens]], which "sandboxd tokens new"
makes, and connections are TLS. Plain TCP is for the loopback interface, with
--insecure.

On both it speaks gRPC, gRPC-Web and Connect (sandboxd.v1.Sandbox), and plain JSON
below /v1; /healthz, /readyz and /metrics are for those who watch it.

SIGHUP reads the policy again: calls that run keep the profile they have, and a file
that is wrong changes nothing. SIGTERM ends the daemon: calls that run finish, for at
most --drain, and new ones are refused. Sockets that systemd opened are taken over.`

const serveExample = `  sandboxd serve
  sandboxd serve --runtime python --socket /run/sandboxd/sandboxd.sock
  sandboxd serve --tcp 127.0.0.1:8080 --insecure
  sandboxd serve --tcp 0.0.0.0:8443 --cert cert.pem --key key.pem`

// serveFlags are the flags of "serve" as they were given.
type serveFlags struct {
	socket    string
	tcp       string
	cert, key string
	insecure  bool
	runtimes  []string
	drain     policies.Duration
}

func (a *app) serveCommand() *cobra.Command {
	f := serveFlags{}
	drain := (*policies.Duration)(nil)
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "Serve programs to other programs, as a daemon",
		Long:    serveLong,
		Example: serveExample,
		Args:    atMost(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.drain = policies.Duration(defaultDrain)
			if drain != nil {
				f.drain = *drain
			}
			return a.serve(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.socket, "socket", "", "listen on the Unix socket `file`; default: that of the policy, then sandboxd/sandboxd.sock in $XDG_RUNTIME_DIR, then run/sandboxd.sock in the data directory")
	flags.StringVar(&f.tcp, "tcp", "", "listen on `address` too, such as 127.0.0.1:8080; default: that of the policy")
	flags.StringVar(&f.cert, "cert", "", "certificate `file` for --tcp, in PEM")
	flags.StringVar(&f.key, "key", "", "the certificate's key `file`, in PEM")
	flags.BoolVar(&f.insecure, "insecure", false, "listen on TCP without TLS, which is for the loopback interface only")
	flags.StringArrayVar(&f.runtimes, "runtime", nil, "prepare and serve language `name`; may be repeated; default: all that can be had")
	flags.Var(optional[policies.Duration]{&drain, policies.ParseDuration, "duration"}, "drain", "let calls finish for so long when the end comes; default: 25s")
	a.completeFlag(cmd, "runtime", a.completeLanguages)
	return cmd
}

// defaultDrain is how long calls may take to finish when the daemon ends: less than the
// 30 seconds after which Kubernetes kills.
const defaultDrain = 25 * time.Second

// listeners are what a daemon listens on, each served in its own way.
type listeners struct {
	local []net.Listener
	plain []net.Listener
	tls   []net.Listener

	certificate *certificate // nil without tls
}

func (l *listeners) close() {
	for _, list := range [][]net.Listener{l.local, l.plain, l.tls} {
		for _, one := range list {
			_ = one.Close()
		}
	}
}

// listen opens all listeners: those that systemd opened, or those of the flags and the
// policy, of which the flags count.
func (a *app) listen(f serveFlags, settings policies.Listen, log *slog.Logger) (_ *listeners, err error) {
	if f.cert != "" || f.key != "" {
		settings.Cert, settings.Key = f.cert, f.key
	}
	if (settings.Cert == "") != (settings.Key == "") {
		return nil, errors.New("--cert and --key: a certificate needs its key; give both")
	}
	out := &listeners{}
	defer func() {
		if err != nil {
			out.close()
		}
	}()
	if settings.Cert != "" {
		if out.certificate, err = loadCertificate(settings.Cert, settings.Key); err != nil {
			return nil, err
		}
	}
	activated, err := sockets.Activated(a.getenv)
	if err != nil {
		return nil, err
	}
	if len(activated) > 0 {
		for _, l := range activated {
			if err := out.add(l, f.insecure, log); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	path, err := a.socketPath(f.socket, settings)
	if err != nil {
		return nil, err
	}
	l, err := sockets.Listen(path)
	if err != nil {
		return nil, err
	}
	if err := out.add(l, f.insecure, log); err != nil {
		return nil, err
	}
	address := settings.TCP
	if f.tcp != "" {
		address = f.tcp
	}
	if address == "" {
		return out, nil
	}
	if err := policies.CheckAddress(address); err != nil {
		return nil, fmt.Errorf("--tcp: %w", err)
	}
	t, err := net.Listen("tcp", address) //nolint:noctx // it waits for nothing
	if err != nil {
		return nil, err
	}
	return out, out.add(t, f.insecure, log)
}

// add sorts a listener in, or closes it.
func (l *listeners) add(one net.Listener, insecure bool, log *slog.Logger) error {
	switch u, isUnix := one.(*net.UnixListener); {
	case isUnix:
		l.local = append(l.local, sockets.OnlyOwner(u, log))
	case l.certificate != nil:
		l.tls = append(l.tls, one)
	case !isLoopback(one.Addr()):
		_ = one.Close()
		return fmt.Errorf("listen on %v: a network needs TLS; give --cert and --key, or listen on 127.0.0.1 with --insecure", one.Addr())
	case !insecure:
		_ = one.Close()
		return fmt.Errorf("listen on %v: without TLS, other users of this machine may read what is said; give --cert and --key, or --insecure", one.Addr())
	default:
		l.plain = append(l.plain, one)
	}
	return nil
}

func isLoopback(address net.Addr) bool {
	ap, err := netip.ParseAddrPort(address.String())
	return err == nil && ap.Addr().Unmap().IsLoopback()
}

// socketPath is where the daemon listens, and where "run" looks for it: explicit if it
// is given, else what the settings say, else the user's own place.
func (a *app) socketPath(explicit string, settings policies.Listen) (string, error) {
	if explicit != "" {
		return filepath.Abs(explicit)
	}
	if settings.Socket != "" {
		return settings.Socket, nil
	}
	if dir := a.getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) && a.dataDir == "" && a.getenv("SANDBOXD_DATA_DIR") == "" {
		return filepath.Join(dir, "sandboxd", "sandboxd.sock"), nil
	}
	data, err := a.data()
	if err != nil {
		return "", err
	}
	return filepath.Join(data, "run", "sandboxd.sock"), nil
}

// serve runs a daemon until ctx ends.
func (a *app) serve(ctx context.Context, f serveFlags) error {
	policy, err := a.policy()
	if err != nil {
		return err
	}
	d := &daemon{flags: f, build: thisBuild(), serving: serving{app: a, log: a.daemonLogger(), began: policy}}
	if d.listeners, err = a.listen(f, policy.Server().Listen, d.log); err != nil {
		return err
	}
	defer d.listeners.close()
	if d.notifier, err = sockets.OpenNotifier(a.getenv); err != nil {
		return err
	}
	return d.run(ctx)
}

// daemonLogger is for those who read later: it says when.
func (a *app) daemonLogger() *slog.Logger {
	return slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
}

// checkSessions refuses to keep sessions where the audit log is: programs see their
// workspaces.
func checkSessions(settings policies.Audit, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if settings.Holds(dir) {
		return fmt.Errorf("directory %q of the sessions holds the policy's audit log, which programs must not see; use another --data-dir, or another file in [server.audit]", dir)
	}
	return nil
}

// tlsConfig is what connections from a network have at least.
func (c *certificate) tlsConfig() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}
