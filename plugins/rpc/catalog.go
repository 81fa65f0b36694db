package rpc

import (
	"context"
	"runtime"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/sandboxd/sandboxd/policies"
	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

// ListRuntimes implements [pb.SandboxServer].
func (s *Server) ListRuntimes(ctx context.Context, _ *pb.ListRuntimesRequest) (*pb.ListRuntimesResponse, error) {
	if _, err := s.caller(ctx); err != nil {
		return nil, err
	}
	out := &pb.ListRuntimesResponse{}
	for _, d := range s.service.Runtimes() {
		out.Runtimes = append(out.Runtimes, &pb.Runtime{
			Name: d.Name, Version: validText(d.Version), Aliases: d.Aliases, Extensions: texts(d.Extensions), BuiltIn: d.BuiltIn,
		})
	}
	return out, nil
}

// ListProfiles implements [pb.SandboxServer].
func (s *Server) ListProfiles(ctx context.Context, _ *pb.ListProfilesRequest) (*pb.ListProfilesResponse, error) {
	c, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.service.Profiles(c)
	if err != nil {
		return nil, s.fail(ctx, c, err)
	}
	out := &pb.ListProfilesResponse{}
	for _, p := range list {
		out.Profiles = append(out.Profiles, profileOf(p))
	}
	return out, nil
}

// profileOf words a profile, without what only the operator may know: paths of this
// machine, the environment and where secrets are.
func profileOf(p *policies.Profile) *pb.Profile {
	out := &pb.Profile{
		Name: validText(p.Name), Fuel: p.Fuel, Memory: uint64(p.Memory), Stdout: uint64(p.Stdout), Stderr: uint64(p.Stderr),
		Timeout:   durationpb.New(time.Duration(p.Timeout)),
		DiskQuota: uint64(p.Disk.Quota), DiskFiles: p.Disk.Files,
		Overridable: p.Overridable, History: int64(p.Sessions.History),
	}
	for _, m := range p.Mounts {
		out.Mounts = append(out.Mounts, &pb.Profile_Mount{Guest: validText(m.Guest), Writable: m.Writable})
	}
	for _, rule := range p.Network.Allow {
		out.Network = append(out.Network, validText(rule.String()))
	}
	return out
}

// Info implements [pb.SandboxServer].
func (s *Server) Info(ctx context.Context, _ *pb.InfoRequest) (*pb.InfoResponse, error) {
	if _, err := s.caller(ctx); err != nil {
		return nil, err
	}
	return &pb.InfoResponse{Version: s.version, Platform: runtime.GOOS + "/" + runtime.GOARCH}, nil
}
