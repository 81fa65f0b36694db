package blobstore

import (
	"os"
	"strings"
)

// bootID is a random name of the time since the machine was started; empty if it
// cannot be had. See random(4).
func bootID() string {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}
