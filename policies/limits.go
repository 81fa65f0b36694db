package policies

import (
	"strconv"
	"time"
)

// Bounds of the values a profile or a request may hold. They refuse absurd
// numbers, which are typing mistakes, and what the host could not honour.
const (
	// MaxFuel keeps sums of budgets within 64 bits; at a thousand million
	// instructions a second it is thirty years.
	MaxFuel = 1_000_000_000_000_000_000
	// MinMemory is less than any interpreter needs; it refuses "64" for
	// "64MiB".
	MinMemory Bytes = 1 << 20
	// MaxMemory is all that 32-bit WebAssembly can address.
	MaxMemory Bytes = 4 << 30
	// MaxOutput bounds each stream, which the host holds in its own memory.
	MaxOutput Bytes = 1 << 30
	// MinTimeout is the resolution at which deadlines mean something.
	MinTimeout = Duration(time.Millisecond)
	// MaxTimeout is the longest call.
	MaxTimeout = Duration(24 * time.Hour)
	// MaxDiskQuota bounds the bytes of a workspace.
	MaxDiskQuota Bytes = 1 << 40
	// MaxDiskFiles bounds the entries of a workspace.
	MaxDiskFiles = 10_000_000
	// MaxDiskDepth is how deep a tree the host's own tools still work with.
	MaxDiskDepth = 256
	// MinOpenFiles is what an interpreter needs for itself.
	MinOpenFiles = 8
	// MaxOpenFiles bounds the host's descriptors that one program holds.
	MaxOpenFiles = 1024
	// MaxToolCalls bounds tools.calls; every call leaves a record.
	MaxToolCalls = 10_000
	// MaxToolBody bounds tools.max_request and tools.max_response, which the host
	// holds in its own memory.
	MaxToolBody Bytes = 64 << 20
	// MaxToolTotal bounds tools.total.
	MaxToolTotal Bytes = 1 << 30
	// MaxConcurrentLimit bounds server.max_concurrent.
	MaxConcurrentLimit = 10_000
	// MaxQueueLimit bounds server.queue.
	MaxQueueLimit = 1_000_000
	// MaxPrefix is the longest server.sessions.prefix, in bytes.
	MaxPrefix = 256
	// MinPruneTime and MaxPruneTime bound the times of server.sessions.prune.
	MinPruneTime = Duration(time.Second)
	MaxPruneTime = Duration(10 * 365 * 24 * time.Hour)
	// DefaultPruneEvery is how often sessions are pruned where the file does not say.
	DefaultPruneEvery = Duration(time.Hour)
	// MaxPruneCount bounds server.sessions.prune.count.
	MaxPruneCount = 1_000_000_000
	// MaxPruneBytes bounds server.sessions.prune.bytes.
	MaxPruneBytes Bytes = 1 << 50
	// MinAuditSize is room for some records of any length.
	MinAuditSize Bytes = 1 << 20
	// MaxAuditSize bounds server.audit.max_size.
	MaxAuditSize Bytes = 1 << 40
	// MaxAuditKeep bounds server.audit.keep.
	MaxAuditKeep = 1000
	// MaxHistory bounds sessions.history: each turn is a copy of a workspace.
	MaxHistory = 100
)

// amount is the value of some limit together with how it was written.
type amount struct {
	value uint64
	text  string
}

// limit describes one key that holds a limit. All limits are kept as unsigned
// numbers: instructions, bytes, nanoseconds or files.
type limit struct {
	key      string
	min, max uint64
	format   func(uint64) string
	read     func(v any) (uint64, error) // from a decoded TOML value
	get      func(*Profile) uint64
	set      func(*Profile, uint64)
	asked    func(*Overrides) (amount, bool)
}

// Keys that more than one place needs to know.
const (
	keyQuota    = "disk.quota"
	keyFileSize = "disk.file_size"
	keyHistory  = "sessions.history"
)

// limits lists every limit in the order of the documentation. It is read-only.
var limits = []limit{
	{
		"fuel", 1, MaxFuel, formatCount, readCount,
		func(p *Profile) uint64 { return p.Fuel },
		func(p *Profile, v uint64) { p.Fuel = v },
		func(o *Overrides) (amount, bool) { return askedCount(o.Fuel) },
	},
	{
		"memory", uint64(MinMemory), uint64(MaxMemory), formatSize, readSize,
		func(p *Profile) uint64 { return uint64(p.Memory) },
		func(p *Profile, v uint64) { p.Memory = Bytes(v) },
		func(o *Overrides) (amount, bool) { return askedSize(o.Memory) },
	},
	{
		"stdout", 1, uint64(MaxOutput), formatSize, readSize,
		func(p *Profile) uint64 { return uint64(p.Stdout) },
		func(p *Profile, v uint64) { p.Stdout = Bytes(v) },
		func(o *Overrides) (amount, bool) { return askedSize(o.Stdout) },
	},
	{
		"stderr", 1, uint64(MaxOutput), formatSize, readSize,
		func(p *Profile) uint64 { return uint64(p.Stderr) },
		func(p *Profile, v uint64) { p.Stderr = Bytes(v) },
		func(o *Overrides) (amount, bool) { return askedSize(o.Stderr) },
	},
	{
		"timeout", uint64(MinTimeout), uint64(MaxTimeout), formatTime, readTime,
		func(p *Profile) uint64 { return nanoseconds(p.Timeout) },
		func(p *Profile, v uint64) { p.Timeout = timeOf(v) },
		func(o *Overrides) (amount, bool) { return askedTime(o.Timeout) },
	},
	{
		keyQuota, 1, uint64(MaxDiskQuota), formatSize, readSize,
		func(p *Profile) uint64 { return uint64(p.Disk.Quota) },
		func(p *Profile, v uint64) { p.Disk.Quota = Bytes(v) },
		func(o *Overrides) (amount, bool) { return askedSize(o.DiskQuota) },
	},
	{
		"disk.files", 1, MaxDiskFiles, formatCount, readCount,
		func(p *Profile) uint64 { return p.Disk.Files },
		func(p *Profile, v uint64) { p.Disk.Files = v },
		func(o *Overrides) (amount, bool) { return askedCount(o.DiskFiles) },
	},
	{
		keyFileSize, 1, uint64(MaxDiskQuota), formatSize, readSize,
		func(p *Profile) uint64 { return uint64(p.Disk.Largest()) },
		func(p *Profile, v uint64) { p.Disk.FileSize = Bytes(v) },
		func(o *Overrides) (amount, bool) { return askedSize(o.DiskFileSize) },
	},
	{
		"disk.depth", 1, MaxDiskDepth, formatCount, readCount,
		func(p *Profile) uint64 { return p.Disk.Depth },
		func(p *Profile, v uint64) { p.Disk.Depth = v },
		func(o *Overrides) (amount, bool) { return askedCount(o.DiskDepth) },
	},
	{
		"disk.open_files", MinOpenFiles, MaxOpenFiles, formatCount, readCount,
		func(p *Profile) uint64 { return p.Disk.OpenFiles },
		func(p *Profile, v uint64) { p.Disk.OpenFiles = v },
		func(o *Overrides) (amount, bool) { return askedCount(o.DiskOpenFiles) },
	},
	{
		"tools.calls", 1, MaxToolCalls, formatCount, readCount,
		func(p *Profile) uint64 { return p.Tools.Calls },
		func(p *Profile, v uint64) { p.Tools.Calls = v },
		func(o *Overrides) (amount, bool) { return askedCount(o.ToolCalls) },
	},
	{
		"tools.max_request", 1, uint64(MaxToolBody), formatSize, readSize,
		func(p *Profile) uint64 { return uint64(p.Tools.MaxRequest) },
		func(p *Profile, v uint64) { p.Tools.MaxRequest = Bytes(v) },
		func(o *Overrides) (amount, bool) { return askedSize(o.ToolRequest) },
	},
	{
		"tools.max_response", 1, uint64(MaxToolBody), formatSize, readSize,
		func(p *Profile) uint64 { return uint64(p.Tools.MaxResponse) },
		func(p *Profile, v uint64) { p.Tools.MaxResponse = Bytes(v) },
		func(o *Overrides) (amount, bool) { return askedSize(o.ToolResponse) },
	},
	{
		"tools.total", 1, uint64(MaxToolTotal), formatSize, readSize,
		func(p *Profile) uint64 { return uint64(p.Tools.Total) },
		func(p *Profile, v uint64) { p.Tools.Total = Bytes(v) },
		func(o *Overrides) (amount, bool) { return askedSize(o.ToolTotal) },
	},
	{
		"tools.timeout", uint64(MinTimeout), uint64(MaxTimeout), formatTime, readTime,
		func(p *Profile) uint64 { return nanoseconds(p.Tools.Timeout) },
		func(p *Profile, v uint64) { p.Tools.Timeout = timeOf(v) },
		func(o *Overrides) (amount, bool) { return askedTime(o.ToolTimeout) },
	},
}

// limitKeys returns the keys of all limits in the order of the documentation.
func limitKeys() []string {
	keys := make([]string, len(limits))
	for i, l := range limits {
		keys[i] = l.key
	}
	return keys
}

// check refuses what is out of the key's bounds, whoever asks.
func (l limit) check(a amount) error {
	switch {
	case a.value == 0 && a.text[0] != '-':
		return invalidf("%s is refused, as no value means unlimited; set at least %s, or leave the key out to inherit", a.text, l.format(l.min))
	case a.value < l.min:
		return invalidf("%s is below the minimum of %s", a.text, l.format(l.min))
	case a.value > l.max:
		return invalidf("%s is above the maximum of %s", a.text, l.format(l.max))
	}
	return nil
}

func formatSize(v uint64) string { return Bytes(v).String() }
func formatTime(v uint64) string { return timeOf(v).String() }

// formatCount writes a number with the digit groups TOML allows, so that it can
// be read by people and pasted into a file.
func formatCount(v uint64) string {
	s := strconv.FormatUint(v, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "_" + s[i:]
	}
	return s
}

// nanoseconds and timeOf convert between a duration and a limit's number. A
// negative duration counts as nothing.
func nanoseconds(d Duration) uint64 { return uint64(max(d, 0)) }

func timeOf(v uint64) Duration { return Duration(v) } //nolint:gosec // at most MaxTimeout

func askedCount(v *uint64) (amount, bool) {
	if v == nil {
		return amount{}, false
	}
	return amount{*v, formatCount(*v)}, true
}

func askedSize(v *Bytes) (amount, bool) {
	if v == nil {
		return amount{}, false
	}
	return amount{uint64(*v), v.String()}, true
}

func askedTime(v *Duration) (amount, bool) {
	if v == nil {
		return amount{}, false
	}
	return amount{nanoseconds(*v), v.String()}, true
}

func readCount(v any) (uint64, error) {
	n, ok := v.(int64)
	if !ok {
		return 0, invalidf("want a whole number such as 500_000_000, not %s", describe(v))
	}
	if n < 0 {
		return 0, invalidf("%d is negative; a limit is at least 1", n)
	}
	return uint64(n), nil
}

func readSize(v any) (uint64, error) {
	var b Bytes
	err := b.UnmarshalTOML(v)
	return uint64(b), err
}

func readTime(v any) (uint64, error) {
	var d Duration
	err := d.UnmarshalTOML(v)
	return nanoseconds(d), err
}
