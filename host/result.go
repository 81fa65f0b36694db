package host

import "github.com/sandboxd/sandboxd/host/fuelprofile"

// Status says how a call ended. It is decided from causes the host itself
// recorded, never from exit codes or messages, which a guest can forge.
type Status string

// The statuses of a call, in the order of the documentation.
const (
	StatusOK          Status = "ok"            // the program ended with exit code 0
	StatusError       Status = "error"         // the guest's code failed
	StatusOutOfFuel   Status = "out_of_fuel"   // the fuel budget was used up
	StatusOutOfMemory Status = "out_of_memory" // linear memory could not grow, and the program failed of it
	StatusTimeout     Status = "timeout"       // the wall-clock limit was reached
	StatusCanceled    Status = "canceled"      // the caller gave up
	StatusDiskQuota   Status = "disk_quota"    // a file quota was reached, and the program failed of it
	StatusOutputLimit Status = "output_limit"  // the profile stops programs that write too much
	StatusInternal    Status = "internal"      // sandboxd's own fault
)

// Result is what one call gave. It is the one shape of every interface: JSON,
// protobuf and MCP carry these names.
type Result struct {
	Success  bool   `json:"success"`
	Status   Status `json:"status"`
	ExitCode int    `json:"exit_code"`

	Stdout          string `json:"stdout"`
	Stderr          string `json:"stderr"`
	StdoutTruncated bool   `json:"stdout_truncated"`
	StderrTruncated bool   `json:"stderr_truncated"`

	FuelConsumed uint64 `json:"fuel_consumed"`
	FuelBudget   uint64 `json:"fuel_budget"`

	DurationSeconds float64 `json:"duration_seconds"`
	// MemoryBytes is the peak size of the guest's linear memory, in bytes;
	// MemPages the same in WebAssembly pages of 64 KiB.
	MemoryBytes uint64 `json:"memory_bytes"`
	MemPages    uint64 `json:"mem_pages"`

	Runtime   string `json:"runtime"`
	Profile   string `json:"profile"`
	SessionID string `json:"session_id"`

	// FilesCreated, FilesModified and FilesDeleted are what the guest did to files
	// in its workspace and in writable mounts, each list in the order of the
	// paths. A file created and deleted again is in none. Together they hold at
	// most [MaxFilesListed] files; FilesOmitted is how many more there were.
	FilesCreated  []File        `json:"files_created"`
	FilesModified []File        `json:"files_modified"`
	FilesDeleted  []DeletedFile `json:"files_deleted"`
	FilesOmitted  int           `json:"files_omitted"`

	// Network lists the requests that the guest made or was refused, one for each
	// step of a redirect: at most one more than the profile allows requests.
	Network []NetworkRequest `json:"network,omitempty"`

	// Displays is what the program showed beside its output, with display(): at most
	// [MaxDisplays] things of [MaxDisplayBytes] together.
	Displays []Bundle `json:"displays,omitempty"`
	// Artifacts are the files that the program declared as results, with artifact().
	Artifacts []Artifact `json:"artifacts,omitempty"`
	// Value is what the program's last statement came to, if it is an expression, has a
	// value, and [Request.WantValue] asked for it: as text, and as JSON where it can be.
	Value Bundle `json:"value,omitempty"`

	// Tools lists the calls of tools that the guest made or was refused, in the order
	// in which they began: at most one more than the profile allows.
	Tools []ToolCall `json:"tools,omitempty"`

	// Error describes the failure, and is nil when there was none.
	Error *GuestError `json:"error"`

	FuelAnalysis FuelAnalysis `json:"fuel_analysis"`
	// FuelProfile is where the fuel went, by functions of the program, if the request
	// asks for it and the guest returned. The guest tells, so it is information only.
	FuelProfile *fuelprofile.Profile `json:"fuel_profile,omitempty"`

	// State is the interpreter as the call left it, to go on from with
	// [Request.State]: for the same runtime and the profile's memory or more, on any
	// machine that has the same prepared runtime. It is there when it was asked for
	// and the interpreter is whole: the program may have failed, called sys.exit or
	// run out of memory, but not been stopped. It holds what the guest had in memory,
	// secrets included, and is at most a little larger than that.
	State []byte `json:"-"`
	// StateError says in a sentence why there is no State although it was asked for.
	// What an earlier call returned is still good.
	StateError string `json:"state_error,omitempty"`

	// Abandoned means that the guest did not return when it was told to: it may still
	// be changing files.
	Abandoned bool `json:"-"`
}

// Bounds of what a result says about files, whatever the profile lets a guest
// write.
const (
	// MaxFilesListed is the most files that a result lists, and MaxFileNames the
	// most bytes that their paths have together.
	MaxFilesListed = 4096
	MaxFileNames   = 1 << 20
	// MaxFilesHashed is the most bytes that are read to hash files.
	MaxFilesHashed = 64 << 20
)

// File is a file that a guest created or modified, as the host found it when the
// guest had ended.
type File struct {
	// Path is the guest's name for it, such as "/app/out.csv". Any byte may be in
	// it, line breaks and terminal sequences included; what is not UTF-8 is
	// replaced by U+FFFD.
	Path string `json:"path"`
	// Size is in bytes. It is 0 where the file could not be looked at, which
	// SHA256 then tells from an empty file.
	Size int64 `json:"size"`
	// SHA256 is the hash of the Size bytes, in hexadecimal. It is empty, and
	// absent from JSON, where the file was not read: it or those before it are
	// larger than [MaxFilesHashed], time ran out, or someone else removed it or
	// put something in its place.
	SHA256 string `json:"sha256,omitempty"`
}

// DeletedFile is a file that was there before the call, and that a guest deleted.
type DeletedFile struct {
	Path string `json:"path"`
}

// GuestError is a failure of the guest's program as its own language reports it.
// The guest writes it, so it is information, never a decision: Status decides.
type GuestError struct {
	// Type is the exception's name, such as "ZeroDivisionError"; for a limit,
	// the status.
	Type    string `json:"type"`
	Message string `json:"message"`
	// Line is the line in the user's own code, from 1; 0 when unknown.
	Line int `json:"line"`
	// Guidance says what to do about it, in sentences for people and models, at most
	// [guidance.MaxSentences]. It names only what the request's interface has.
	Guidance []string `json:"guidance"`
}

// FuelAnalysis says how tight the fuel budget was.
type FuelAnalysis struct {
	// Status is "efficient" (under half of the budget), "moderate" (under
	// three quarters), "warning" (under nine tenths), "critical" or "exhausted";
	// "unknown" where the guest did not return.
	Status string `json:"status"`
	// Utilization is consumed fuel over the budget, from 0 to 1.
	Utilization float64 `json:"utilization"`
	// Recommendation is advice in a sentence; empty when there is none to give.
	Recommendation string `json:"recommendation"`
	// RecommendedBudget is a budget that leaves room, in instructions: the present one
	// unless the call came near it, and then more. It is 0 where Status is "unknown".
	RecommendedBudget uint64 `json:"recommended_budget"`
	// LikelyCauses are what most of the fuel may have gone to, in clauses; none unless
	// the call came near its budget.
	LikelyCauses []string `json:"likely_causes"`
}
