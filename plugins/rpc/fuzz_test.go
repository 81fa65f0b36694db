package rpc

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/sandboxd/sandboxd/policies"
	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

// FuzzExecuteRequest decodes any bytes as a request: what is accepted grants nothing
// that a caller may not ask for.
func FuzzExecuteRequest(f *testing.F) {
	fuel := uint64(1)
	for _, m := range []*pb.ExecuteRequest{
		{},
		{Language: "python", Code: "print(1)", Args: []string{"a"}, Env: map[string]string{"A": "b"}, Stdin: []byte("x")},
		{SessionId: "s", CreateSession: true, Persist: pb.Persist_PERSIST_STATE, Files: map[string][]byte{"../x": nil}},
		{Limits: &pb.Limits{Fuel: &fuel, Timeout: &durationpb.Duration{Seconds: -1, Nanos: 1}}},
	} {
		data, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte{0x12, 0x02, 0xff, 0xfe})
	f.Fuzz(func(t *testing.T, data []byte) {
		var m pb.ExecuteRequest
		if proto.Unmarshal(data, &m) != nil {
			return
		}
		e, err := executionOf(&m)
		if err != nil {
			return
		}
		r := e.Request
		if r.Caller != "" || r.Workspace != "" || r.Mounts != nil || r.Session != "" || r.State != nil || r.KeepState || r.Tools != nil || r.StreamOnly {
			t.Errorf("the request sets what is not its own: %+v", r)
		}
		profile, err := policies.Builtin().Profile("strict")
		if err != nil {
			t.Fatal(err)
		}
		if with, err := profile.With(r.Overrides); err == nil && (with.Fuel > profile.Fuel || with.Memory > profile.Memory || with.Timeout > profile.Timeout) {
			t.Errorf("the request raises a limit: %+v", r.Overrides)
		}
	})
}
