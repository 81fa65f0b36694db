package audit

import (
	"bytes"
	"encoding/json"
	"time"
	"unicode/utf8"
)

// Record is what one line says of one call. Its strings may come from a guest or
// from a caller: encoding escapes and bounds each of them, so that whatever they
// hold, a record is one line of ASCII of at most [MaxRecord] bytes, with the field
// names below in this order. docs/audit.md explains each field.
type Record struct {
	// Event is [EventExecution], or [EventLost] for what the Writer says itself.
	Event string `json:"event"`
	// Time is when the call came in. The Writer sets it when it is zero.
	Time time.Time `json:"time"`
	// Writer and Seq are set by the [Writer]: a random name for itself, and the
	// record's number, from 1. A number that is missing is a record that is. A
	// record of [EventLost] has none: 0.
	Writer string `json:"writer"`
	Seq    uint64 `json:"seq"`

	Caller string `json:"caller"`
	// Status is the result's status, or [StatusRefused] when there is no result;
	// then ErrorClass and Error say why.
	Status     string `json:"status"`
	ErrorClass string `json:"error_class,omitempty"`
	Error      string `json:"error,omitempty"`
	ExitCode   int    `json:"exit_code"`

	Runtime      string `json:"runtime"`
	ModuleSHA256 string `json:"module_sha256"`
	Profile      string `json:"profile"`
	Filename     string `json:"filename"`
	CodeSHA256   string `json:"code_sha256"`
	CodeBytes    int    `json:"code_bytes"`

	// Limits are those in force; nil when the call was refused before they were
	// known.
	Limits *Limits `json:"limits"`

	Fuel            uint64  `json:"fuel"`
	MemoryBytes     uint64  `json:"memory_bytes"`
	DurationSeconds float64 `json:"duration_seconds"`
	StdoutTruncated bool    `json:"stdout_truncated"`
	StderrTruncated bool    `json:"stderr_truncated"`

	FilesCreated  Paths `json:"files_created"`
	FilesModified Paths `json:"files_modified"`
	FilesDeleted  Paths `json:"files_deleted"`
	// FilesOmitted is how many more files changed, of which nothing more is known.
	FilesOmitted int `json:"files_omitted"`

	// Workspace is the host directory that was shown as the workspace; empty for
	// one that was deleted with the call.
	Workspace string `json:"workspace"`
	// Session is the id of the session that the call was a turn of; empty for one of
	// none.
	Session string `json:"session"`
	Mounts  Mounts `json:"mounts"`
	// Requests are those that the guest made of the network, or was refused.
	Requests Requests `json:"requests"`
	// Tools are the calls that the guest made of the embedding program's tools, or was
	// refused.
	Tools Tools `json:"tools"`

	// Lost is how many records before this one were not written; only in a
	// record of [EventLost].
	Lost uint64 `json:"lost,omitempty"`
}

// The events.
const (
	EventExecution = "execution"
	EventLost      = "lost"
)

// StatusRefused is the status of a call that gave no result.
const StatusRefused = "refused"

// Limits are the limits a call ran under, in the units of their names.
type Limits struct {
	Fuel           uint64  `json:"fuel"`
	MemoryBytes    uint64  `json:"memory_bytes"`
	StdoutBytes    uint64  `json:"stdout_bytes"`
	StderrBytes    uint64  `json:"stderr_bytes"`
	TimeoutSeconds float64 `json:"timeout_seconds"`
	DiskQuotaBytes uint64  `json:"disk_quota_bytes"`
	DiskFiles      uint64  `json:"disk_files"`
	DiskFileSize   uint64  `json:"disk_file_size_bytes"`
	DiskDepth      uint64  `json:"disk_depth"`
	DiskOpenFiles  uint64  `json:"disk_open_files"`
	OutputLimit    string  `json:"output_limit"`
}

// Paths are guest paths. Count is how many there were; Paths holds the first, as
// many as there is room for.
type Paths struct {
	Count int      `json:"count"`
	Paths []string `json:"paths"`
}

// PathsOf makes Paths of all paths. It keeps the slice.
func PathsOf(all []string) Paths { return Paths{Count: len(all), Paths: all} }

// Mounts are directories of the host that the guest could see. Count is how many
// there were; Mounts holds the first, as many as there is room for.
type Mounts struct {
	Count  int     `json:"count"`
	Mounts []Mount `json:"mounts"`
}

// Mount is one directory of the host and where the guest saw it.
type Mount struct {
	Host     string `json:"host"`
	Guest    string `json:"guest"`
	Writable bool   `json:"writable"`
}

// Requests are what a guest asked of the network. Count is how many there were;
// Requests holds the first, as many as there is room for.
type Requests struct {
	Count    int       `json:"count"`
	Requests []Request `json:"requests"`
}

// Request is one request, or one step of a redirect.
type Request struct {
	Method   string `json:"method"`
	URL      string `json:"url"`      // without its query
	Status   int    `json:"status"`   // of the response; 0 for none
	Sent     int64  `json:"sent"`     // bytes
	Received int64  `json:"received"` // bytes
	Refused  string `json:"refused"`  // why there was no response; empty if there was
}

// Tools are calls of tools. Count is how many there were; Calls holds the first, as
// many as there is room for.
type Tools struct {
	Count int        `json:"count"`
	Calls []ToolCall `json:"calls"`
}

// ToolCall is one call of a tool.
type ToolCall struct {
	Name            string  `json:"name"`
	Outcome         string  `json:"outcome"` // "ok", or what sort of failure it was
	DurationSeconds float64 `json:"duration_seconds"`
	Sent            int64   `json:"sent"`     // bytes
	Received        int64   `json:"received"` // bytes
}

// MaxRecord is the longest line, in bytes, its line break included. It is more
// than all of the bounds below and what surrounds them.
const MaxRecord = 32 << 10

// Bounds of what a record holds, in bytes as encoded: a hostile name of escapes
// only has less room, not more.
const (
	maxWord = 512     // a name, a label
	maxText = 2 << 10 // a path of the host, a message
	maxList = 4 << 10 // a list, with what is around its elements
)

// maxNumbers is more than what is around the strings of a [Request] or a [ToolCall],
// with the longest numbers.
const maxNumbers = 160

// encode returns r as one line, with its line break.
func (r Record) encode() ([]byte, error) {
	r.bound()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(&r); err != nil {
		return nil, err // a number that JSON does not have
	}
	return ascii(b.Bytes()), nil
}

// bound cuts every string and list to its bound. It changes no slice of the
// caller's.
func (r *Record) bound() {
	r.Time = r.Time.UTC()
	for _, s := range []*string{&r.Event, &r.Writer, &r.Caller, &r.Status, &r.ErrorClass, &r.Runtime, &r.ModuleSHA256, &r.Profile, &r.Filename, &r.CodeSHA256, &r.Session} {
		*s = clip(*s, maxWord)
	}
	for _, s := range []*string{&r.Error, &r.Workspace} {
		*s = clip(*s, maxText)
	}
	if r.Limits != nil {
		limits := *r.Limits
		limits.OutputLimit = clip(limits.OutputLimit, maxWord)
		r.Limits = &limits
	}
	for _, p := range []*Paths{&r.FilesCreated, &r.FilesModified, &r.FilesDeleted} {
		p.Paths = bounded(p.Paths, func(path *string) int {
			*path = clip(*path, maxWord)
			return encodedLen(*path) + len(`"",`)
		})
	}
	r.Mounts.Mounts = bounded(r.Mounts.Mounts, func(m *Mount) int {
		m.Host, m.Guest = clip(m.Host, maxText), clip(m.Guest, maxWord)
		return encodedLen(m.Host) + encodedLen(m.Guest) + len(`{"host":"","guest":"","writable":false},`)
	})
	r.Requests.Requests = bounded(r.Requests.Requests, func(q *Request) int {
		q.Method, q.URL, q.Refused = clip(q.Method, maxWord), clip(q.URL, maxWord), clip(q.Refused, maxWord)
		return encodedLen(q.Method) + encodedLen(q.URL) + encodedLen(q.Refused) + maxNumbers
	})
	r.Tools.Calls = bounded(r.Tools.Calls, func(c *ToolCall) int {
		c.Name, c.Outcome = clip(c.Name, maxWord), clip(c.Outcome, maxWord)
		return encodedLen(c.Name) + encodedLen(c.Outcome) + maxNumbers
	})
}

// bounded returns the first elements of list that fit into maxList. size cuts an
// element to its own bound and says how long it then is.
func bounded[T any](list []T, size func(*T) int) []T {
	out := []T{} // not null in JSON
	total := 0
	for _, element := range list {
		if total += size(&element); total > maxList {
			break
		}
		out = append(out, element)
	}
	return out
}

// cutMark ends a string that was cut.
const cutMark = "..."

// clip returns s, or as much of it as is at most limit bytes when encoded, with
// cutMark at its end.
func clip(s string, limit int) string {
	total, fits := 0, 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if total += runeLen(r); total > limit {
			return s[:fits] + cutMark
		}
		i += size
		if total <= limit-len(cutMark) {
			fits = i
		}
	}
	return s
}

// encodedLen is the most bytes that s takes in a record, without quotes.
func encodedLen(s string) int {
	total := 0
	for _, r := range s {
		total += runeLen(r)
	}
	return total
}

func runeLen(r rune) int {
	switch {
	case r > 0xffff:
		return 12 // two surrogates
	case r < ' ', r > '~':
		return 6
	case r == '"', r == '\\':
		return 2
	}
	return 1
}

// ascii escapes what JSON leaves as it is and a terminal or an editor may not:
// the delete character, and everything beyond ASCII, among which are the marks
// that turn the direction of text around. line is valid JSON in UTF-8, so such
// characters are inside strings.
func ascii(line []byte) []byte {
	const hex = "0123456789abcdef"
	out := make([]byte, 0, len(line)+len(line)/8)
	escape := func(u rune) {
		out = append(out, '\\', 'u', hex[u>>12&15], hex[u>>8&15], hex[u>>4&15], hex[u&15])
	}
	for i := 0; i < len(line); {
		if c := line[i]; c < 0x7f {
			out = append(out, c)
			i++
			continue
		}
		r, size := utf8.DecodeRune(line[i:])
		i += size
		if r > 0xffff {
			escape(0xd800 + (r-0x10000)>>10)
			r = 0xdc00 + (r-0x10000)&0x3ff
		}
		escape(r)
	}
	return out
}
