//go:build unix

package sdk_test

import "syscall"

const terminate = syscall.SIGTERM
