package sockets

import (
	"net"

	"golang.org/x/sys/unix"
)

// peer is the user at the other end of a connection, as it was when it connected, and
// whether the system says so.
func peer(conn *net.UnixConn) (uid int, known bool, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, true, err
	}
	var cred *unix.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) {
		cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err != nil {
		return 0, true, err
	}
	if failed != nil {
		return 0, true, failed
	}
	return int(cred.Uid), true, nil
}
