package policies

import "crypto/sha256"

// Listen holds the [server.listen] table. Paths are absolute; what is empty was not
// said.
type Listen struct {
	// Socket is the path of the Unix socket.
	Socket string
	// TCP is the address to listen on as well, such as "127.0.0.1:8080".
	TCP string
	// Cert and Key are the files of the certificate, with those that it rests on, and
	// of its key, in PEM. There are both or neither.
	Cert, Key string
}

// Token holds one [[server.tokens]] table: one who may call over the network, known by
// a secret that only its hash is kept of.
type Token struct {
	// Name says in the audit log and in limits who it is. No two tokens have the same.
	Name string
	// Hash is the SHA-256 of the secret.
	Hash [sha256.Size]byte
	// Owner is whose sessions it sees; the name unless the file says otherwise.
	Owner string
	// Profiles are those that it may use, the first of them by default: at least one.
	Profiles []string
	// Rate is how many executions may begin in a second, and Burst how many at once;
	// Concurrent is how many may be under way, and Queue how many more may wait. 0,
	// when the file does not say, sets no limit to a rate, and leaves the other two to
	// the daemon.
	Rate              float64
	Burst             int
	Concurrent, Queue int
	// SessionRate and SessionBurst are Rate and Burst for each of its sessions.
	SessionRate  float64
	SessionBurst int
	// Metrics allows to read what the daemon measures, of all callers.
	Metrics bool
}

// Bounds of what a file may say of tokens.
const (
	MaxTokens    = 1000
	MaxTokenRate = 1_000_000
)
