package wasm

import (
	"errors"
	"testing"
)

func TestASharedMemoryIsAKindOfError(t *testing.T) {
	_, err := Decode([]byte(header + "\x05\x04\x01\x03\x01\x02"))
	if !errors.Is(err, ErrShared) {
		t.Errorf("got %v", err)
	}
	_, err = Decode([]byte(header + "\x05\x04\x01\x07\x01\x02"))
	if err == nil || errors.Is(err, ErrShared) {
		t.Errorf("got %v", err)
	}
}
