//go:build linux || darwin

package sockets

import "net"

// peer is the user at the other end of a connection, as it was when it connected, and
// whether the system says so.
func peer(conn *net.UnixConn) (uid int, known bool, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, true, err
	}
	var user uint32
	var failed error
	err = raw.Control(func(fd uintptr) {
		user, failed = peerOf(int(fd))
	})
	if err != nil {
		return 0, true, err
	}
	if failed != nil {
		return 0, true, failed
	}
	return int(user), true, nil
}
