// Package sockets makes the listeners of a daemon: a Unix socket for one user, those
// that systemd hands over, and the way to tell systemd how the daemon is.
//
// See https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html and
// https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
package sockets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// maxPath is the longest path of a socket that all systems take, in bytes.
const maxPath = 103

// Listen makes a Unix socket that only this user can connect to: its mode is 0600, and
// its directory is made with 0700 if it is not there. A socket that nobody listens on any
// more is replaced; one that somebody does, and any other kind of file, is an error.
// Closing the listener deletes the socket.
func Listen(path string) (*net.UnixListener, error) {
	if len(path) > maxPath {
		return nil, fmt.Errorf("listen on %q: a socket's path has at most %d bytes, this one has %d", path, maxPath, len(path))
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the socket's directory: %w", err)
	}
	if err := checkDirectory(dir); err != nil {
		return nil, fmt.Errorf("listen on %q: %w", path, err)
	}
	if err := clear(path); err != nil {
		return nil, fmt.Errorf("listen on %q: %w", path, err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// clear deletes what a daemon left that is no more.
func clear(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errors.New("there is a file of that name that is no socket; delete it, or use another path")
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		_ = conn.Close()
		return errors.New("another daemon listens there; stop it, or use another path")
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}

// OnlyOwner lets only connections through that come from this process's own user or
// from root, where the system says whose they are. It is for sockets whose modes
// somebody else chose, and for those whose directory was opened up.
func OnlyOwner(l *net.UnixListener, log *slog.Logger) net.Listener { return &owned{l, log} }

type owned struct {
	*net.UnixListener
	log *slog.Logger
}

func (o *owned) Accept() (net.Conn, error) {
	for {
		conn, err := o.AcceptUnix()
		if err != nil {
			return nil, err
		}
		uid, known, err := peer(conn)
		if err == nil && (!known || uid == 0 || uid == os.Geteuid()) {
			return conn, nil
		}
		o.log.Warn("refused a connection to the socket: it is not this user's", "uid", uid, "error", err)
		_ = conn.Close()
	}
}

// Dial connects to a socket that this process's own user, or root, listens on, where the
// system says so: what is said there is said to nobody else.
func Dial(ctx context.Context, path string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	u, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(errors.New("no Unix socket"), conn.Close())
	}
	uid, known, err := peer(u)
	if err == nil && known && uid != 0 && uid != os.Geteuid() {
		err = fmt.Errorf("user %d listens on %q", uid, path)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// Activated returns the listeners that systemd opened for this process, none if it opened
// none. It is called once. getenv reads the environment.
func Activated(getenv func(string) string) ([]net.Listener, error) {
	pid, err := strconv.Atoi(getenv("LISTEN_PID"))
	if err != nil || pid != os.Getpid() {
		return nil, nil
	}
	n, err := strconv.Atoi(getenv("LISTEN_FDS"))
	if err != nil || n < 0 || n > 16 {
		return nil, fmt.Errorf("take over sockets: LISTEN_FDS is %q", getenv("LISTEN_FDS"))
	}
	const first = 3
	var all []net.Listener
	for fd := first; fd < first+n; fd++ {
		file := os.NewFile(uintptr(fd), "LISTEN_FD_"+strconv.Itoa(fd))
		l, err := net.FileListener(file)
		_ = file.Close() // the listener has a copy
		if err != nil {
			for _, l := range all {
				_ = l.Close()
			}
			return nil, fmt.Errorf("take over socket %d: %w", fd, err)
		}
		if u, ok := l.(*net.UnixListener); ok {
			u.SetUnlinkOnClose(false) // it is systemd's
		}
		all = append(all, l)
	}
	return all, nil
}

// Notifier tells systemd how a daemon is. The zero value tells nobody. It is opened
// before a process gives up making sockets. Safe for concurrent use.
type Notifier struct {
	mu   sync.Mutex
	conn *net.UnixConn
}

// OpenNotifier opens the socket that systemd named in NOTIFY_SOCKET, if it did.
func OpenNotifier(getenv func(string) string) (*Notifier, error) {
	name := getenv("NOTIFY_SOCKET")
	if name == "" {
		return &Notifier{}, nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("reach systemd: %w", err)
	}
	return &Notifier{conn: conn}, nil
}

// Tell sends a state, such as "READY=1". Nobody waits for an answer, and a systemd that
// does not listen is no reason to fail.
func (n *Notifier) Tell(state string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conn == nil {
		return
	}
	_ = n.conn.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = n.conn.Write([]byte(state))
}
