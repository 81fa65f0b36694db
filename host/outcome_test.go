package host

import (
	"errors"
	"testing"
)

func TestExitCodes(t *testing.T) {
	for status, want := range map[Status]int{
		StatusOK: 7, StatusError: 7, StatusTimeout: 124, StatusCanceled: 130, StatusOutOfFuel: 137, StatusOutOfMemory: 137,
		StatusDiskQuota: 137, StatusOutputLimit: 137, StatusInternal: 125, "a status that is none": 125,
	} {
		if got := exitCodeOf(ending{status: status, exitCode: 7}); got != want {
			t.Errorf("%s: %d, want %d", status, got, want)
		}
	}
}

func TestTrapMessage(t *testing.T) {
	for text, want := range map[string]string{
		"wasm error: unreachable\nwasm stack trace:\n\t.$1()": "unreachable",
		"wasm error: out of bounds memory access":             "out of bounds memory access",
		"something else": "something else",
	} {
		if got := trapMessage(errors.New(text)); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestTheFirstCauseCounts(t *testing.T) {
	in := &instance{}
	mustEnd(t, func() { in.halt(StatusOutOfFuel) })
	mustEnd(t, func() { in.end(ending{status: StatusInternal}) })
	mustEnd(t, func() { in.halt(StatusTimeout) })
	if in.ended.status != StatusOutOfFuel {
		t.Errorf("got %+v", in.ended)
	}
}

func TestABugOfOursIsRecordedAsOurs(t *testing.T) {
	in := &instance{}
	mustEnd(t, func() {
		defer in.contain("test")
		panic("bug")
	})
	if in.ended == nil || in.ended.status != StatusInternal || in.ended.err == nil {
		t.Errorf("got %+v", in.ended)
	}
	in = &instance{}
	mustEnd(t, func() {
		defer in.contain("test")
		in.halt(StatusTimeout)
	})
	if in.ended.status != StatusTimeout {
		t.Errorf("an end that was meant: %+v", in.ended)
	}
	in = &instance{}
	func() {
		defer in.contain("test")
	}()
	if in.ended != nil {
		t.Errorf("no end at all: %+v", in.ended)
	}
}
