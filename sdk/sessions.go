package sdk

import (
	"context"
	"io"
	"iter"
	"time"

	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

// Session is a session by its id: a handle, which asks nothing until it is used.
type Session struct {
	client *Client
	id     string
}

// Session returns a handle of a session, which need not be there yet.
func (c *Client) Session(id string) *Session { return &Session{c, id} }

// ID is the session's id.
func (s *Session) ID() string { return s.id }

// SessionSpec says what session to make.
type SessionSpec struct {
	// ID is at most 128 ASCII letters, digits, ".", "_" and "-"; empty makes a random
	// one.
	ID string
	// Language is required.
	Language string
	// Profile is that of calls which name none; empty means the default.
	Profile string
	// KeepState keeps the state of the interpreter, with every variable and import,
	// besides the files.
	KeepState bool
}

// CreateSession makes an empty session.
func (c *Client) CreateSession(ctx context.Context, spec SessionSpec) (*Session, error) {
	r, err := call(ctx, c, pb.SandboxClient.CreateSession, &pb.CreateSessionRequest{
		SessionId: spec.ID, Language: spec.Language, Profile: spec.Profile, Persist: persistOf(spec.KeepState),
	})
	if err != nil {
		return nil, err
	}
	return c.Session(r.GetSession().GetId()), nil
}

// SessionInfo is what is known of a session.
type SessionInfo struct {
	ID        string
	Language  string
	Profile   string
	KeepState bool
	// Parent is the session that it was forked from at ParentTurn; empty if it was not.
	Parent        string
	ParentTurn    int
	Created, Used time.Time
	Calls         int
	// Turn is the current turn, and Oldest the oldest that is kept. Turn 0 is how it
	// began.
	Turn, Oldest int
	// Bytes is the size of its files and its state.
	Bytes int64
	// Damaged says why nothing but the id is known; empty if all is well.
	Damaged string
}

func infoOf(m *pb.Session) SessionInfo {
	return SessionInfo{
		ID: m.GetId(), Language: m.GetLanguage(), Profile: m.GetProfile(), KeepState: m.GetPersist() == pb.Persist_PERSIST_STATE,
		Parent: m.GetParent().GetSessionId(), ParentTurn: int(m.GetParent().GetTurn()),
		Created: m.GetCreated().AsTime(), Used: m.GetUsed().AsTime(),
		Calls: int(m.GetCalls()), Turn: int(m.GetTurn()), Oldest: int(m.GetOldest()), Bytes: m.GetBytes(), Damaged: m.GetDamaged(),
	}
}

// Sessions lists all sessions, the one used last first. What is made, used or deleted
// meanwhile can make one come twice, or be missing. It ends with the first error.
func (c *Client) Sessions(ctx context.Context) iter.Seq2[SessionInfo, error] {
	return func(yield func(SessionInfo, error) bool) {
		token := ""
		for {
			r, err := call(ctx, c, pb.SandboxClient.ListSessions, &pb.ListSessionsRequest{PageToken: token})
			if err != nil {
				yield(SessionInfo{}, err)
				return
			}
			for _, m := range r.GetSessions() {
				if !yield(infoOf(m), nil) {
					return
				}
			}
			if token = r.GetNextPageToken(); token == "" {
				return
			}
		}
	}
}

// Run is [Client.Run] in the session.
func (s *Session) Run(ctx context.Context, r Request) (*Result, error) {
	r.Session = s.id
	return s.client.Run(ctx, r)
}

// Stream is [Client.Stream] in the session.
func (s *Session) Stream(ctx context.Context, r Request, stdout, stderr io.Writer) (*Result, error) {
	r.Session = s.id
	return s.client.Stream(ctx, r, stdout, stderr)
}

// Info describes the session.
func (s *Session) Info(ctx context.Context) (SessionInfo, error) {
	r, err := call(ctx, s.client, pb.SandboxClient.GetSession, &pb.GetSessionRequest{SessionId: s.id})
	return infoOf(r.GetSession()), err
}

// CurrentTurn names the current turn in [Session.Fork].
const CurrentTurn = -1

// Fork makes another session out of a turn of this one. An empty id makes a random
// one.
func (s *Session) Fork(ctx context.Context, turn int, id string) (*Session, error) {
	m := &pb.ForkSessionRequest{SessionId: s.id, NewSessionId: id}
	if turn != CurrentTurn {
		n := int64(turn)
		m.Turn = &n
	}
	r, err := call(ctx, s.client, pb.SandboxClient.ForkSession, m)
	if err != nil {
		return nil, err
	}
	return s.client.Session(r.GetSession().GetId()), nil
}

// Rollback undoes the last turns, so many of them.
func (s *Session) Rollback(ctx context.Context, turns int) (SessionInfo, error) {
	r, err := call(ctx, s.client, pb.SandboxClient.RollbackSession, &pb.RollbackSessionRequest{SessionId: s.id, Turns: int64(turns)})
	return infoOf(r.GetSession()), err
}

// Reset begins a turn without state and, unless keepFiles, without files.
func (s *Session) Reset(ctx context.Context, keepFiles bool) (SessionInfo, error) {
	r, err := call(ctx, s.client, pb.SandboxClient.ResetSession, &pb.ResetSessionRequest{SessionId: s.id, KeepFiles: keepFiles})
	return infoOf(r.GetSession()), err
}

// Destroy deletes the session with all it has, after the call that runs in it.
func (s *Session) Destroy(ctx context.Context) error {
	_, err := call(ctx, s.client, pb.SandboxClient.DestroySession, &pb.DestroySessionRequest{SessionId: s.id})
	return err
}

// Turn is what one turn of a session did.
type Turn struct {
	Number int
	Time   time.Time
	// Status is that of the call's result; "created", "forked" or "reset" where there
	// was no call.
	Status                      string
	FilesCreated, FilesModified []File
	FilesDeleted                []DeletedFile
	FilesOmitted                uint64
	// State says that the interpreter's state is kept, of StateBytes.
	State      bool
	StateBytes int64
}

// Turns lists the turns that are kept, the oldest first.
func (s *Session) Turns(ctx context.Context) ([]Turn, error) {
	r, err := call(ctx, s.client, pb.SandboxClient.ListTurns, &pb.ListTurnsRequest{SessionId: s.id})
	var list []Turn
	for _, m := range r.GetTurns() {
		list = append(list, Turn{
			Number: int(m.GetNumber()), Time: m.GetTime().AsTime(), Status: m.GetStatus(),
			FilesCreated: filesOf(m.GetFilesCreated()), FilesModified: filesOf(m.GetFilesModified()), FilesDeleted: deletedOf(m.GetFilesDeleted()),
			FilesOmitted: m.GetFilesOmitted(), State: m.GetState(), StateBytes: m.GetStateBytes(),
		})
	}
	return list, err
}
