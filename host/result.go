package host

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

	FilesCreated  []string `json:"files_created"`
	FilesModified []string `json:"files_modified"`
	FilesDeleted  []string `json:"files_deleted"`

	// Error describes the failure, and is nil when there was none.
	Error *GuestError `json:"error"`

	FuelAnalysis FuelAnalysis `json:"fuel_analysis"`
}

// GuestError is a failure of the guest's program as its own language reports it.
// The guest writes it, so it is information, never a decision: Status decides.
type GuestError struct {
	// Type is the exception's name, such as "ZeroDivisionError"; for a limit,
	// the status.
	Type    string `json:"type"`
	Message string `json:"message"`
	// Line is the line in the user's own code, from 1; 0 when unknown.
	Line     int      `json:"line"`
	Guidance []string `json:"guidance"`
}

// FuelAnalysis says how tight the fuel budget was.
type FuelAnalysis struct {
	// Status is "efficient" (under half of the budget), "moderate" (under
	// three quarters), "warning" (under nine tenths), "critical" or "exhausted".
	Status string `json:"status"`
	// Utilization is consumed fuel over the budget, from 0 to 1.
	Utilization float64 `json:"utilization"`
	// Recommendation is advice in a sentence; empty when there is none to give.
	Recommendation string `json:"recommendation"`
}
