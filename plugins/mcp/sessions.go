package mcp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/host/workspace"
	"github.com/sandboxd/sandboxd/plugins/service"
)

// sessionInfo is a session as a client sees it.
type sessionInfo struct {
	SessionID    string   `json:"session_id"`
	Language     string   `json:"language"`
	Profile      string   `json:"profile"`
	PersistState bool     `json:"persist_state" jsonschema:"whether variables and imports live on from call to call, and not only files"`
	ForkedFrom   string   `json:"forked_from,omitempty"`
	CreatedAt    string   `json:"created_at"`
	LastUsedAt   string   `json:"last_used_at"`
	Calls        int      `json:"calls" jsonschema:"how many programs ran in it"`
	Turn         int      `json:"turn" jsonschema:"the turn it is at"`
	OldestTurn   int      `json:"oldest_turn" jsonschema:"the earliest turn that rollback_session can go back to"`
	Bytes        int64    `json:"bytes"`
	Running      []string `json:"running" jsonschema:"the executions that run in it"`
	Damaged      bool     `json:"damaged,omitempty" jsonschema:"it can only be destroyed"`
}

func (c *client) info(n *session.Session) sessionInfo {
	i := sessionInfo{
		SessionID: n.ID, Language: n.Language, Profile: n.Profile, PersistState: n.Persist == session.PersistState,
		CreatedAt: n.Created.UTC().Format(time.RFC3339), LastUsedAt: n.Used.UTC().Format(time.RFC3339),
		Calls: n.Calls, Turn: n.Turn, OldestTurn: n.Oldest, Bytes: n.Bytes, Running: c.underWay(n.ID), Damaged: n.Damaged != "",
	}
	if n.Parent != nil {
		i.ForkedFrom = n.Parent.ID
	}
	return i
}

// line is a session in a line of text.
func (i sessionInfo) line() string {
	keeps := "files"
	if i.PersistState {
		keeps = "files and variables"
	}
	return fmt.Sprintf("%s: %s, profile %s, keeps %s, %d calls, turn %d, %d bytes, last used %s",
		i.SessionID, i.Language, i.Profile, keeps, i.Calls, i.Turn, i.Bytes, i.LastUsedAt)
}

type createInput struct {
	Language     string `json:"language,omitempty" jsonschema:"the language of its programs; python if it is left out"`
	Profile      string `json:"profile,omitempty" jsonschema:"the limits of its programs; list_profiles shows them"`
	SessionID    string `json:"session_id,omitempty" jsonschema:"a name of your own: letters, digits, dot, dash and underscore; left out, a random one"`
	PersistState bool   `json:"persist_state,omitempty" jsonschema:"also keep variables, functions and imports from call to call"`
}

type sessionInput struct {
	SessionID string `json:"session_id" jsonschema:"the session"`
}

type forkInput struct {
	SessionID    string `json:"session_id" jsonschema:"the session to copy"`
	NewSessionID string `json:"new_session_id,omitempty" jsonschema:"the copy's name; left out, a random one"`
	Turn         *int   `json:"turn,omitempty" jsonschema:"copy it as it was at this turn; left out, as it is now"`
}

type rollbackInput struct {
	SessionID string `json:"session_id" jsonschema:"the session"`
	Turns     int    `json:"turns,omitempty" jsonschema:"how many turns to undo; 1 if it is left out"`
}

type resetInput struct {
	SessionID string `json:"session_id" jsonschema:"the session"`
	KeepFiles bool   `json:"keep_files,omitempty" jsonschema:"reset variables only, and keep the files"`
}

type sessionList struct {
	Sessions []sessionInfo `json:"sessions" jsonschema:"your sessions, the one used last first"`
	Total    int           `json:"total"`
}

type destroyed struct {
	Destroyed []string `json:"destroyed" jsonschema:"the sessions that are gone"`
}

type empty struct{}

func (c *client) addSessions() {
	t := func(name, title string, e effect, text ...string) tool {
		return tool{name: name, title: title, effect: e, text: lines(text...), tailor: c.tailored}
	}
	add(c, t("create_session", "Make a session", adds,
		"Make a session, in which one program after another finds the files that those before it left in /app.",
		"Use it when work takes several calls. With persist_state, variables, functions and imports live on too, as in a notebook.",
		"Sessions are yours alone, and are removed when they have not been used for long.",
		"Examples: {}; {\"session_id\": \"report\", \"persist_state\": true}; {\"language\": \"javascript\", \"session_id\": \"js-1\"}"), c.createSession)
	for _, name := range []string{"list_sessions", "get_active_sessions"} {
		also := "The same as get_active_sessions."
		if name == "get_active_sessions" {
			also = "The same as list_sessions."
		}
		add(c, t(name, "List sessions", reads,
			"List your sessions with language, profile, turn, size and what runs in them, the one used last first. "+also,
			"Use it to find a session made earlier. Examples: {}"), c.listSessions)
	}
	add(c, t("get_workspace_info", "Describe a session", reads,
		"Describe one session: what it keeps, its turns, and how many files and bytes it holds of what its profile allows.",
		"Use it before large writes, or before rollback_session. Examples: {\"session_id\": \"report\"}"), c.workspaceInfo)
	add(c, t("fork_session", "Copy a session", adds,
		"Make a new session that begins as another one is, or was at an earlier turn, with files and kept variables.",
		"Use it to try something without touching the original.",
		"Examples: {\"session_id\": \"report\"}; {\"session_id\": \"report\", \"new_session_id\": \"what-if\"}; {\"session_id\": \"report\", \"turn\": 2}"), c.forkSession)
	add(c, t("rollback_session", "Undo turns of a session", destroys,
		"Undo the last turns of a session: its files and variables are as they were before. What is undone is lost.",
		"It works where the session's profile keeps history (see list_profiles).",
		"Examples: {\"session_id\": \"report\"}; {\"session_id\": \"report\", \"turns\": 3}"), c.rollbackSession)
	add(c, t("reset_workspace", "Empty a session", destroysTo,
		"Empty a session: its files and variables, or with keep_files its variables only. The session stays.",
		"Examples: {\"session_id\": \"report\"}; {\"session_id\": \"report\", \"keep_files\": true}"), c.resetWorkspace)
	add(c, t("destroy_session", "Delete a session", destroysTo,
		"Delete a session with all it has, for good, when what runs in it has ended (cancel_execution stops it).",
		"Examples: {\"session_id\": \"report\"}"), c.destroySession)
	add(c, t("reset_all_sessions", "Delete all of your sessions", destroysTo,
		"Delete all of your sessions with all they have, for good. Nobody else's are touched.",
		"Use it only when the user asks for it. Examples: {}"), c.resetAll)
}

func (c *client) createSession(ctx context.Context, _ *sdk.CallToolRequest, in createInput) (reply[sessionInfo], error) {
	spec := session.Spec{ID: in.SessionID, Language: in.Language, Profile: in.Profile}
	if in.Language == "" {
		spec.Language = c.defaultLanguage()
	}
	if in.PersistState {
		spec.Persist = session.PersistState
	}
	n, err := c.service.CreateSession(ctx, c.caller, spec)
	return c.session(n, err, "Made session ")
}

// session replies with a session that was made or changed, and tells who lists them.
func (c *client) session(n *session.Session, err error, did string) (reply[sessionInfo], error) {
	if err != nil {
		return reply[sessionInfo]{}, missing(err)
	}
	c.listChanged()
	i := c.info(n)
	return reply[sessionInfo]{out: i, text: did + i.line() + "."}, nil
}

func (c *client) listSessions(ctx context.Context, _ *sdk.CallToolRequest, _ empty) (reply[sessionList], error) {
	all, err := c.service.Sessions(ctx, c.caller)
	if err != nil {
		return reply[sessionList]{}, err
	}
	list := sessionList{Sessions: make([]sessionInfo, len(all)), Total: len(all)}
	text := make([]string, len(all))
	for i, n := range all {
		list.Sessions[i] = c.info(n)
		text[i] = list.Sessions[i].line()
	}
	if len(all) == 0 {
		text = []string{"You have no sessions; create_session makes one."}
	}
	return reply[sessionList]{out: list, text: lines(text...)}, nil
}

type workspaceInfo struct {
	sessionInfo

	Files      int        `json:"files" jsonschema:"files and directories in /app"`
	FileBytes  int64      `json:"file_bytes" jsonschema:"what the files hold together"`
	DiskQuota  uint64     `json:"disk_quota" jsonschema:"the most bytes that the profile allows"`
	FilesQuota uint64     `json:"files_quota" jsonschema:"the most files and directories that the profile allows"`
	Turns      []turnInfo `json:"turns" jsonschema:"the turns that are kept, the oldest first"`
}

type turnInfo struct {
	Turn     int    `json:"turn"`
	Status   string `json:"status"`
	Created  int    `json:"files_created"`
	Modified int    `json:"files_modified"`
	Deleted  int    `json:"files_deleted"`
}

func (c *client) workspaceInfo(ctx context.Context, _ *sdk.CallToolRequest, in sessionInput) (_ reply[workspaceInfo], err error) {
	none := reply[workspaceInfo]{}
	n, err := c.service.Session(ctx, c.caller, in.SessionID)
	if err != nil {
		return none, missing(err)
	}
	turns, err := c.service.Turns(ctx, c.caller, in.SessionID)
	if err != nil {
		return none, err
	}
	w, err := c.service.Files(ctx, c.caller, in.SessionID)
	if err != nil {
		return none, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	usage, err := w.Measure(ctx)
	if err != nil {
		return none, err
	}
	i := workspaceInfo{sessionInfo: c.info(n), Files: usage.Entries, FileBytes: usage.Bytes, Turns: make([]turnInfo, len(turns))}
	for _, p := range c.profiles {
		if p.Name == n.Profile {
			i.DiskQuota, i.FilesQuota = uint64(p.Disk.Quota), p.Disk.Files
		}
	}
	for j, t := range turns {
		i.Turns[j] = turnInfo{t.Number, t.Status, len(t.FilesCreated), len(t.FilesModified), len(t.FilesDeleted)}
	}
	text := fmt.Sprintf("%s.\n%d files and directories, %d bytes of %d; turns %d to %d are kept.",
		i.line(), i.Files, i.FileBytes, i.DiskQuota, i.OldestTurn, i.Turn)
	return reply[workspaceInfo]{out: i, text: text}, nil
}

func (c *client) forkSession(ctx context.Context, _ *sdk.CallToolRequest, in forkInput) (reply[sessionInfo], error) {
	turn := -1
	if in.Turn != nil {
		if turn = *in.Turn; turn < 0 {
			return reply[sessionInfo]{}, fmt.Errorf("%w: turn %d: turns count from 0", service.ErrInvalid, turn)
		}
	}
	n, err := c.service.Fork(ctx, c.caller, in.SessionID, turn, in.NewSessionID)
	return c.session(n, err, "Copied to ")
}

func (c *client) rollbackSession(ctx context.Context, _ *sdk.CallToolRequest, in rollbackInput) (reply[sessionInfo], error) {
	if in.Turns == 0 {
		in.Turns = 1
	}
	n, err := c.service.Rollback(ctx, c.caller, in.SessionID, in.Turns)
	return c.session(n, err, "Now ")
}

func (c *client) resetWorkspace(ctx context.Context, _ *sdk.CallToolRequest, in resetInput) (reply[sessionInfo], error) {
	n, err := c.service.Reset(ctx, c.caller, in.SessionID, in.KeepFiles)
	return c.session(n, err, "Emptied ")
}

func (c *client) destroySession(ctx context.Context, _ *sdk.CallToolRequest, in sessionInput) (reply[destroyed], error) {
	if err := c.service.Destroy(ctx, c.caller, in.SessionID); err != nil {
		return reply[destroyed]{}, err
	}
	c.listChanged()
	return reply[destroyed]{out: destroyed{[]string{in.SessionID}}, text: "Deleted session " + in.SessionID + "."}, nil
}

func (c *client) resetAll(ctx context.Context, _ *sdk.CallToolRequest, _ empty) (reply[destroyed], error) {
	gone, err := c.destroyAll(ctx)
	c.listChanged()
	text := "You have no sessions."
	if len(gone) > 0 {
		text = fmt.Sprintf("Deleted %d sessions: %s.", len(gone), strings.Join(gone, ", "))
	}
	return reply[destroyed]{out: destroyed{gone}, text: text}, err
}

// destroyAll deletes all sessions of the client's.
func (c *client) destroyAll(ctx context.Context) ([]string, error) {
	gone := []string{}
	all, err := c.service.Sessions(ctx, c.caller)
	if err != nil {
		return gone, err
	}
	var errs []error
	for _, n := range all {
		if err := c.service.Destroy(ctx, c.caller, n.ID); err != nil {
			if !errors.Is(err, session.ErrNotFound) {
				errs = append(errs, err)
			}
			continue
		}
		gone = append(gone, n.ID)
	}
	return gone, errors.Join(errs...)
}

// view opens the files of a session for as long as look takes.
func (c *client) view(ctx context.Context, id string, look func(*workspace.Workspace) error) error {
	w, err := c.service.Files(ctx, c.caller, id)
	if err != nil {
		return missing(err)
	}
	return errors.Join(look(w), w.Close())
}
