package mcp

import (
	"errors"
	"fmt"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

func TestEventsAreReplayedOrSaidToBeLost(t *testing.T) {
	ctx := t.Context()
	e := newEvents()
	_ = e.Open(ctx, "c", "s")
	for i := range 3 {
		_ = e.Append(ctx, "c", "s", fmt.Append(nil, i))
	}
	got := ""
	for data, err := range e.After(ctx, "c", "s", 0) {
		if err != nil {
			t.Fatal(err)
		}
		got += string(data)
	}
	if got != "12" {
		t.Errorf("got %q", got)
	}
	_ = e.Append(ctx, "c", "s", make([]byte, eventBytes+1))
	for _, lost := range []struct{ connection, stream string }{{"c", "s"}, {"c", "other"}, {"other", "s"}} {
		for _, err := range e.After(ctx, lost.connection, lost.stream, 0) {
			if !errors.Is(err, sdk.ErrEventsPurged) {
				t.Errorf("%v: got %v", lost, err)
			}
		}
	}
}

func TestEventsAreBounded(t *testing.T) {
	ctx := t.Context()
	e := newEvents()
	for c := range 100 {
		for s := range 100 {
			_ = e.Open(ctx, fmt.Sprint(c), fmt.Sprint("s", s))
			_ = e.Append(ctx, fmt.Sprint(c), fmt.Sprint("s", s), make([]byte, 100_000))
		}
	}
	if e.bytes > eventAllBytes {
		t.Errorf("%d bytes are kept", e.bytes)
	}
	for id, c := range e.connections {
		if len(c.streams) > eventStreams {
			t.Errorf("%d streams of a connection are kept", len(c.streams))
		}
		_ = e.SessionClosed(ctx, id)
	}
	if e.bytes != 0 || len(e.connections) != 0 {
		t.Errorf("afterwards: %d bytes, %d connections", e.bytes, len(e.connections))
	}
}
