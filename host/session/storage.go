package session

import "context"

// Storage is where sessions are kept. [Disk] is one. Package sessiontest has the tests
// that every implementation must pass.
//
// It keeps, for each session, one record, numbered turns and images. A turn is a
// workspace and a small record of its own; an image is a blob under its digest.
// Storage understands none of them: [Store] decides what there is, and in which
// order. Every method that writes returns when what it wrote would survive a crash of
// the machine, and none leaves a record, a turn's record or an image half written.
// SetRecord is what commits: everything else becomes part of a session by being
// named, directly or indirectly, in its record, and what is not named may vanish.
//
// Keys were checked before: see [Key]. Methods that change a session are called with
// its lock held, those that read without it. A session or a turn that is not there is
// [ErrNotFound].
//
// Files of a turn may be those of another turn too, or of another session's, as hard
// links: who works in a workspace replaces a file, or has [host.Request.WorkspaceShared]
// see to it, and writes in place only to what has one name.
//
// Programs run in a directory of this machine, so a storage that is elsewhere brings
// a turn here in Begin and in Workspace, and takes it away in SetTurn. There, a lock
// can be lost while it is held: SetRecord and Delete are [ErrConflict] if anybody else
// has changed the session since it was locked, and change nothing. What cannot be read
// because it is out of reach is [ErrUnreachable], so that it is not taken for damaged.
type Storage interface {
	// Owners lists everybody who has or had a session, and Sessions the ids of one
	// owner's, in any order.
	Owners(ctx context.Context) ([]string, error)
	Sessions(ctx context.Context, owner string) ([]string, error)

	// Lock gives the caller a session until it calls unlock, against all others, of
	// other processes too. It waits for them, or returns [ErrBusy] if wait is false.
	// A lock ends with the process that holds it.
	Lock(ctx context.Context, k Key, wait bool) (unlock func(), err error)

	// Create makes a session at once, or not at all: with a record and a turn of the
	// given number, whose workspace is a copy of from's or, if that is nil, empty, and
	// which shares from's image, if one is named. If k is there, it is [ErrExists]. Nothing is
	// locked; from's session is.
	Create(ctx context.Context, k Key, record []byte, turn TurnData, from *Place) error
	// Delete removes a session, at once for all who look.
	Delete(ctx context.Context, k Key) error
	// Size is how many bytes a session takes, all turns and images together, as the
	// apparent size of files.
	Size(ctx context.Context, k Key) (int64, error)

	Record(ctx context.Context, k Key) ([]byte, error)
	SetRecord(ctx context.Context, k Key, data []byte) error

	// Begin makes a turn with a copy of another's workspace, without a record yet;
	// from < 0 makes an empty one. A turn of that number that is there goes first.
	Begin(ctx context.Context, k Key, turn, from int) error
	// Workspace is the directory of a turn's files.
	Workspace(ctx context.Context, k Key, turn int) (string, error)
	Turn(ctx context.Context, k Key, turn int) ([]byte, error)
	// SetTurn writes a turn's record, and makes its workspace durable as it is.
	SetTurn(ctx context.Context, k Key, t TurnData) error

	// Image and SetImage read and write the image of a digest, 64 hexadecimal digits.
	Image(ctx context.Context, k Key, digest string) ([]byte, error)
	SetImage(ctx context.Context, k Key, digest string, data []byte) error

	// Keep deletes all turns and images but these.
	Keep(ctx context.Context, k Key, turns []int, images []string) error
}

// Sweeper is a [Storage] in which crashed processes leave what has to be looked for.
// Sweep deletes it, while others work; [Store.Prune] does so each time.
type Sweeper interface {
	Sweep(ctx context.Context) error
}

// Committer is a [Storage] that can write what makes up a turn together, in less time.
// Commit does what SetImage, SetTurn and SetRecord do one after the other: when it
// fails, what they would have done before SetRecord may have been done.
type Committer interface {
	Commit(ctx context.Context, k Key, c Commit) error
}

// Commit is what a turn adds to a session.
type Commit struct {
	Record []byte
	Turn   TurnData
	Image  *ImageData // nil adds none
}

// ImageData is an image under its digest.
type ImageData struct {
	Digest string
	Data   []byte
}

// TurnData is a turn's number and its record as it is stored.
type TurnData struct {
	Number int
	Data   []byte
}

// Place is a turn of some session, and the image that goes with it, if any.
type Place struct {
	Key   Key
	Turn  int
	Image string
}
