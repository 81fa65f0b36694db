package session_test

import (
	"testing"

	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/host/session/sessiontest"
)

func TestDiskIsAStorage(t *testing.T) {
	sessiontest.Storage(t, func(t *testing.T, dir string) session.Storage {
		d, err := session.OpenDisk(dir)
		if err != nil {
			t.Fatal(err)
		}
		return d
	})
}
