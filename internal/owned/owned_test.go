package owned

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestUsesAreRecordedToTheHour(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	Touch(name) // it is not there, and stays so
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for ago, recorded := range map[time.Duration]bool{
		TouchEvery / 2:    false,
		TouchEvery:        true,
		1000 * time.Hour:  true,
		-1000 * time.Hour: true, // the clock was wrong
	} {
		then := time.Now().Add(-ago).Truncate(time.Second)
		if err := os.Chtimes(name, then, then); err != nil {
			t.Fatal(err)
		}
		Touch(name)
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := !info.ModTime().Equal(then); got != recorded {
			t.Errorf("a file used %v ago: recorded %t, want %t", ago, got, recorded)
		}
	}
}
