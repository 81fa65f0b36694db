package sdk

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

// Request is one program to run. Language and Code are required; the zero value of
// everything else is the safe one.
type Request struct {
	// ID is a name for [Client.Cancel], unique among what runs.
	ID string
	// Language is a runtime's name or alias, such as "python". Empty in a session
	// means the session's.
	Language string
	// Code is the program's source text, at most 16 MiB of UTF-8.
	Code string
	// Filename is the name that tracebacks show. Nothing is opened.
	Filename string
	// Args are the program's arguments, without its own name.
	Args []string
	// Env is added to the profile's environment.
	Env map[string]string
	// Stdin is what the program reads as standard input.
	Stdin []byte
	// Profile is what the program may use. Empty means the session's, or the default.
	Profile string
	// Limits tighten the profile, and raise what it calls overridable.
	Limits Limits
	// Files are put into the workspace first, by path. Without a session they vanish
	// with the program.
	Files map[string][]byte
	// Session is the id of the session to run in; empty runs in none. Create makes it
	// if it is not there, and KeepState lets one that is made so keep the state of the
	// interpreter.
	Session           string
	Create, KeepState bool
	// ResetState begins with a fresh interpreter; the session's files stay.
	ResetState bool
	// NoWait fails with [ErrBusy] while another call runs in the session.
	NoWait bool
	// WantValue asks for [Result.Value], and ProfileFuel for [Result.FuelProfile], of
	// runtimes that can tell. Both cost the program fuel, the second most.
	WantValue, ProfileFuel bool
	// Tools are functions of this program's that the program may call.
	Tools []Tool
}

// Limits are those that a request may change; zero leaves one as the profile says.
// Sizes are in bytes.
type Limits struct {
	Fuel           uint64 // instructions
	Memory         uint64
	Stdout, Stderr uint64
	Timeout        time.Duration
	DiskQuota      uint64
	DiskFiles      uint64
	DiskFileSize   uint64
	DiskDepth      uint64
	DiskOpenFiles  uint64
	// ToolCalls is how many calls of tools there may be, ToolRequest and ToolResponse
	// the bytes of one's arguments and answer, ToolTotal those of all, and ToolTimeout
	// the time of one.
	ToolCalls                            uint64
	ToolRequest, ToolResponse, ToolTotal uint64
	ToolTimeout                          time.Duration
}

func (r *Request) message() *pb.ExecuteRequest {
	m := &pb.ExecuteRequest{
		Id: r.ID, Language: r.Language, Code: r.Code, Filename: r.Filename, Args: r.Args, Env: r.Env, Stdin: r.Stdin,
		Profile: r.Profile, Limits: r.Limits.message(), Files: r.Files,
		SessionId: r.Session, CreateSession: r.Create, Persist: persistOf(r.KeepState), ResetState: r.ResetState, NoWait: r.NoWait,
		WantValue: r.WantValue, ProfileFuel: r.ProfileFuel,
	}
	return m
}

func (l Limits) message() *pb.Limits {
	if l == (Limits{}) {
		return nil
	}
	m := &pb.Limits{
		Fuel: set(l.Fuel), Memory: set(l.Memory), Stdout: set(l.Stdout), Stderr: set(l.Stderr),
		DiskQuota: set(l.DiskQuota), DiskFiles: set(l.DiskFiles), DiskFileSize: set(l.DiskFileSize),
		DiskDepth: set(l.DiskDepth), DiskOpenFiles: set(l.DiskOpenFiles),
		ToolCalls: set(l.ToolCalls), ToolRequest: set(l.ToolRequest), ToolResponse: set(l.ToolResponse), ToolTotal: set(l.ToolTotal),
	}
	if l.ToolTimeout != 0 {
		m.ToolTimeout = durationpb.New(l.ToolTimeout)
	}
	if l.Timeout != 0 {
		m.Timeout = durationpb.New(l.Timeout)
	}
	return m
}

func set(n uint64) *uint64 {
	if n == 0 {
		return nil
	}
	return &n
}

func persistOf(state bool) pb.Persist {
	if state {
		return pb.Persist_PERSIST_STATE
	}
	return pb.Persist_PERSIST_NONE
}

// The statuses of a [Result].
const (
	StatusOK          = "ok"
	StatusError       = "error" // the program's own code failed
	StatusOutOfFuel   = "out_of_fuel"
	StatusOutOfMemory = "out_of_memory"
	StatusTimeout     = "timeout"
	StatusCanceled    = "canceled"
	StatusDiskQuota   = "disk_quota"
	StatusOutputLimit = "output_limit"
	StatusInternal    = "internal" // sandboxd's own fault
)

// Result is how a program went: the one shape of all of sandboxd's interfaces.
type Result struct {
	Success  bool   `json:"success"`
	Status   string `json:"status"`
	ExitCode int    `json:"exit_code"`

	// Stdout and Stderr are UTF-8: what was not is replaced by U+FFFD. They are empty
	// after [Client.Stream].
	Stdout          string `json:"stdout"`
	Stderr          string `json:"stderr"`
	StdoutTruncated bool   `json:"stdout_truncated"`
	StderrTruncated bool   `json:"stderr_truncated"`

	FuelConsumed    uint64  `json:"fuel_consumed"`
	FuelBudget      uint64  `json:"fuel_budget"`
	DurationSeconds float64 `json:"duration_seconds"`
	// MemoryBytes is the peak size of the program's linear memory; MemPages the same
	// in pages of 64 KiB.
	MemoryBytes uint64 `json:"memory_bytes"`
	MemPages    uint64 `json:"mem_pages"`

	Runtime   string `json:"runtime"`
	Profile   string `json:"profile"`
	SessionID string `json:"session_id"`

	FilesCreated  []File           `json:"files_created"`
	FilesModified []File           `json:"files_modified"`
	FilesDeleted  []DeletedFile    `json:"files_deleted"`
	FilesOmitted  uint64           `json:"files_omitted"` // more than are listed
	Network       []NetworkRequest `json:"network,omitempty"`
	Tools         []ToolRecord     `json:"tools,omitempty"`

	// Displays is what the program showed beside its output with display(), Artifacts
	// are files that it declared as results, and Value is what its last expression came
	// to. A program made them: show HTML and SVG as a stranger's.
	Displays  []Bundle   `json:"displays,omitempty"`
	Artifacts []Artifact `json:"artifacts,omitempty"`
	Value     Bundle     `json:"value,omitempty"`
	// FuelProfile is where the fuel went; nil unless it was asked for.
	FuelProfile *FuelProfile `json:"fuel_profile,omitempty"`

	// Error is the failure as the program tells it, nil if there was none. Status
	// decides.
	Error        *GuestError  `json:"error"`
	FuelAnalysis FuelAnalysis `json:"fuel_analysis"`
	// StateError is why the interpreter's state was not kept.
	StateError string `json:"state_error,omitempty"`
	// Turn is the session's turn now; 0 without a session.
	Turn int `json:"turn,omitempty"`
	// Warnings are sentences about the session that its user should read.
	Warnings []string `json:"warnings,omitempty"`
}

// Bundle is one thing in several forms, by MIME type: text as it is, and of images other
// than SVG the base64 of their bytes.
type Bundle map[string]string

// Artifact is a file that a program says is a result of its work.
type Artifact struct {
	Path  string `json:"path"`
	Title string `json:"title"`
}

// FuelProfile is where the fuel of a program went.
type FuelProfile struct {
	// Functions are sorted by what they used themselves, the most first; Omitted is how
	// many more there were.
	Functions []FuelFunction `json:"functions"`
	Omitted   int            `json:"omitted"`
	// Total is what the program used, and Overhead what it took to profile it.
	Total    uint64 `json:"total"`
	Overhead uint64 `json:"overhead"`
	// Pprof is the whole profile as "go tool pprof" reads it.
	Pprof []byte `json:"-"`
}

// FuelFunction is one function's part of a profile. Self is the fuel it used itself,
// and Total also has what it called.
type FuelFunction struct {
	Name  string `json:"name"`
	File  string `json:"file"`
	Line  int    `json:"line"`
	Calls uint64 `json:"calls"`
	Self  uint64 `json:"self"`
	Total uint64 `json:"total"`
}

// File is a file that a program made or changed. Path is the program's name for it.
type File struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256,omitempty"`
}

// DeletedFile is a file that a program deleted.
type DeletedFile struct {
	Path string `json:"path"`
}

// NetworkRequest is a request that a program made or was refused.
type NetworkRequest struct {
	Method   string `json:"method"`
	Origin   string `json:"origin"`
	Path     string `json:"path"`
	Status   int    `json:"status,omitempty"`
	Sent     int64  `json:"sent"`
	Received int64  `json:"received"`
	Refused  string `json:"refused,omitempty"`
}

// ToolRecord is a call of a [Tool] that a program made or was refused.
type ToolRecord struct {
	Name string `json:"name"`
	// Outcome is "ok" or the kind of the failure.
	Outcome         string  `json:"outcome"`
	DurationSeconds float64 `json:"duration_seconds"`
	Sent            int64   `json:"sent"`
	Received        int64   `json:"received"`
	Error           string  `json:"error,omitempty"`
}

// GuestError is a failure as the program's own language reports it.
type GuestError struct {
	Type     string   `json:"type"`
	Message  string   `json:"message"`
	Line     int      `json:"line"` // from 1; 0 when unknown
	Guidance []string `json:"guidance"`
}

// FuelAnalysis says how tight the fuel budget was.
type FuelAnalysis struct {
	Status         string  `json:"status"`
	Utilization    float64 `json:"utilization"`
	Recommendation string  `json:"recommendation"`
	// RecommendedBudget is a budget that leaves room: the present one, or more if the
	// call came near it.
	RecommendedBudget uint64   `json:"recommended_budget"`
	LikelyCauses      []string `json:"likely_causes"`
}

func resultOf(m *pb.Result) *Result {
	r := &Result{
		Success: m.GetSuccess(), Status: m.GetStatus(), ExitCode: int(m.GetExitCode()),
		Stdout: m.GetStdout(), Stderr: m.GetStderr(), StdoutTruncated: m.GetStdoutTruncated(), StderrTruncated: m.GetStderrTruncated(),
		FuelConsumed: m.GetFuelConsumed(), FuelBudget: m.GetFuelBudget(), DurationSeconds: m.GetDurationSeconds(),
		MemoryBytes: m.GetMemoryBytes(), MemPages: m.GetMemPages(),
		Runtime: m.GetRuntime(), Profile: m.GetProfile(), SessionID: m.GetSessionId(),
		FilesCreated: filesOf(m.GetFilesCreated()), FilesModified: filesOf(m.GetFilesModified()),
		FilesDeleted: deletedOf(m.GetFilesDeleted()), FilesOmitted: m.GetFilesOmitted(),
		FuelAnalysis: FuelAnalysis{
			m.GetFuelAnalysis().GetStatus(), m.GetFuelAnalysis().GetUtilization(), m.GetFuelAnalysis().GetRecommendation(),
			m.GetFuelAnalysis().GetRecommendedBudget(), append([]string{}, m.GetFuelAnalysis().GetLikelyCauses()...),
		},
		StateError: m.GetStateError(), Turn: int(m.GetTurn()), Warnings: m.GetWarnings(),
	}
	for _, n := range m.GetNetwork() {
		r.Network = append(r.Network, NetworkRequest{
			n.GetMethod(), n.GetOrigin(), n.GetPath(), int(n.GetStatus()), n.GetSent(), n.GetReceived(), n.GetRefused(),
		})
	}
	for _, t := range m.GetTools() {
		r.Tools = append(r.Tools, ToolRecord{t.GetName(), t.GetOutcome(), t.GetDurationSeconds(), t.GetSent(), t.GetReceived(), t.GetError()})
	}
	for _, b := range m.GetDisplays() {
		r.Displays = append(r.Displays, b.GetData())
	}
	for _, a := range m.GetArtifacts() {
		r.Artifacts = append(r.Artifacts, Artifact{a.GetPath(), a.GetTitle()})
	}
	r.Value = m.GetValue().GetData()
	if p := m.GetFuelProfile(); p != nil {
		r.FuelProfile = &FuelProfile{Omitted: int(p.GetOmitted()), Total: p.GetTotal(), Overhead: p.GetOverhead(), Pprof: p.GetPprof()}
		for _, f := range p.GetFunctions() {
			r.FuelProfile.Functions = append(r.FuelProfile.Functions, FuelFunction{
				f.GetName(), f.GetFile(), int(f.GetLine()), f.GetCalls(), f.GetSelf(), f.GetTotal(),
			})
		}
	}
	if e := m.GetError(); e != nil {
		r.Error = &GuestError{e.GetType(), e.GetMessage(), int(e.GetLine()), e.GetGuidance()}
	}
	return r
}

func filesOf(list []*pb.File) []File {
	out := make([]File, len(list))
	for i, f := range list {
		out[i] = File{f.GetPath(), f.GetSize(), f.GetSha256()}
	}
	return out
}

func deletedOf(list []*pb.DeletedFile) []DeletedFile {
	out := make([]DeletedFile, len(list))
	for i, f := range list {
		out[i] = DeletedFile{f.GetPath()}
	}
	return out
}

// Profile is what a program may use. Sizes are in bytes.
type Profile struct {
	Name           string
	Fuel           uint64 // instructions
	Memory         uint64
	Stdout, Stderr uint64
	Timeout        time.Duration
	DiskQuota      uint64
	DiskFiles      uint64
	// Overridable are the limits that a request may raise, such as "fuel".
	Overridable []string
	// Mounts are the directories that programs see besides their workspace.
	Mounts []Mount
	// Network are the origins that programs may send requests to.
	Network []string
	// History is how many earlier turns of a session are kept.
	History int
}

// Mount is a directory that programs see.
type Mount struct {
	Guest    string
	Writable bool
}

func profileOf(m *pb.Profile) Profile {
	p := Profile{
		Name: m.GetName(), Fuel: m.GetFuel(), Memory: m.GetMemory(), Stdout: m.GetStdout(), Stderr: m.GetStderr(),
		Timeout: m.GetTimeout().AsDuration(), DiskQuota: m.GetDiskQuota(), DiskFiles: m.GetDiskFiles(),
		Overridable: m.GetOverridable(), Network: m.GetNetwork(), History: int(m.GetHistory()),
	}
	for _, one := range m.GetMounts() {
		p.Mounts = append(p.Mounts, Mount{one.GetGuest(), one.GetWritable()})
	}
	return p
}
