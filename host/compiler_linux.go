package host

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// limitProcess bounds this process for good: its processor time in seconds, and what
// address space it takes beyond what it has now, in bytes.
func limitProcess(seconds, memory uint64) error {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return fmt.Errorf("limit memory: %w", err)
	}
	var pages uint64
	if _, err := fmt.Fscan(strings.NewReader(string(text)), &pages); err != nil {
		return fmt.Errorf("limit memory: %w", err)
	}
	space := pages*uint64(os.Getpagesize()) + memory //nolint:gosec // positive
	for resource, limit := range map[int]uint64{unix.RLIMIT_CPU: seconds, unix.RLIMIT_AS: space, unix.RLIMIT_CORE: 0} {
		if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
			return fmt.Errorf("limit the compiler: %w", err)
		}
	}
	return nil
}
