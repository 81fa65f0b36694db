package rpc

import (
	"bytes"
	"math"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/fuelprofile"
	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/plugins/service"
	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

// validText is s as protobuf's strings must be: UTF-8.
func validText(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// texts is validText for lists.
func texts(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = validText(s)
	}
	return out
}

// cut cuts what does not fit into a RunResponse, between two characters.
func cut(s string, already bool) (string, bool) {
	if len(s) <= maxRunOutput {
		return s, already
	}
	end := maxRunOutput
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end], true
}

// resultOf words an outcome.
func resultOf(o *session.Outcome) *pb.Result {
	r := o.Result
	out := &pb.Result{
		Success: r.Success, Status: string(r.Status), ExitCode: int32(max(math.MinInt32, min(r.ExitCode, math.MaxInt32))), //nolint:gosec // bounded
		Stdout: validText(r.Stdout), Stderr: validText(r.Stderr), StdoutTruncated: r.StdoutTruncated, StderrTruncated: r.StderrTruncated,
		FuelConsumed: r.FuelConsumed, FuelBudget: r.FuelBudget, DurationSeconds: r.DurationSeconds,
		MemoryBytes: r.MemoryBytes, MemPages: r.MemPages,
		Runtime: r.Runtime, Profile: validText(r.Profile), SessionId: validText(r.SessionID),
		FilesCreated: filesOf(r.FilesCreated), FilesModified: filesOf(r.FilesModified), FilesDeleted: deletedOf(r.FilesDeleted),
		FilesOmitted: uint64(max(r.FilesOmitted, 0)), //nolint:gosec // bounded
		FuelAnalysis: &pb.FuelAnalysis{
			Status: r.FuelAnalysis.Status, Utilization: r.FuelAnalysis.Utilization, Recommendation: validText(r.FuelAnalysis.Recommendation),
			RecommendedBudget: r.FuelAnalysis.RecommendedBudget, LikelyCauses: texts(r.FuelAnalysis.LikelyCauses),
		},
		Value: bundleOf(r.Value), FuelProfile: fuelProfileOf(r.FuelProfile),
		StateError: validText(r.StateError), Turn: int64(o.Turn), Warnings: texts(o.Warnings),
	}
	for _, n := range r.Network {
		out.Network = append(out.Network, &pb.NetworkRequest{
			Method: validText(n.Method), Origin: validText(n.Origin), Path: validText(n.Path),
			Status: int32(min(max(n.Status, 0), math.MaxInt32)), //nolint:gosec // bounded
			Sent:   n.Sent, Received: n.Received, Refused: validText(n.Refused),
		})
	}
	for _, t := range r.Tools {
		out.Tools = append(out.Tools, &pb.ToolRecord{
			Name: validText(t.Name), Outcome: validText(t.Outcome), DurationSeconds: t.DurationSeconds,
			Sent: t.Sent, Received: t.Received, Error: validText(t.Error),
		})
	}
	for _, b := range r.Displays {
		out.Displays = append(out.Displays, bundleOf(b))
	}
	for _, a := range r.Artifacts {
		out.Artifacts = append(out.Artifacts, &pb.Artifact{Path: validText(a.Path), Title: validText(a.Title)})
	}
	if e := r.Error; e != nil {
		out.Error = &pb.GuestError{
			Type: validText(e.Type), Message: validText(e.Message), Line: int64(e.Line), Guidance: texts(e.Guidance),
		}
	}
	return out
}

func bundleOf(b host.Bundle) *pb.Bundle {
	if b == nil {
		return nil
	}
	out := &pb.Bundle{Data: make(map[string]string, len(b))}
	for kind, content := range b {
		out.Data[kind] = validText(content)
	}
	return out
}

func fuelProfileOf(p *fuelprofile.Profile) *pb.FuelProfile {
	if p == nil {
		return nil
	}
	out := &pb.FuelProfile{Omitted: int64(p.Omitted), Total: p.Total, Overhead: p.Overhead}
	for _, f := range p.Functions {
		out.Functions = append(out.Functions, &pb.FuelFunction{
			Name: validText(f.Name), File: validText(f.File), Line: int64(f.Line), Calls: f.Calls, Self: f.Self, Total: f.Total,
		})
	}
	var file bytes.Buffer
	if p.Write(&file) == nil { // a buffer takes all
		out.Pprof = file.Bytes()
	}
	return out
}

func filesOf(list []host.File) []*pb.File {
	out := make([]*pb.File, len(list))
	for i, f := range list {
		out[i] = &pb.File{Path: validText(f.Path), Size: f.Size, Sha256: f.SHA256}
	}
	return out
}

func deletedOf(list []host.DeletedFile) []*pb.DeletedFile {
	out := make([]*pb.DeletedFile, len(list))
	for i, f := range list {
		out[i] = &pb.DeletedFile{Path: validText(f.Path)}
	}
	return out
}

// sessionOf words a session. What damaged one is the operator's to know.
func sessionOf(c service.Caller, n *session.Session) *pb.Session {
	out := &pb.Session{
		Id: n.ID, Language: validText(n.Language), Profile: validText(n.Profile),
		Created: timestamppb.New(n.Created), Used: timestamppb.New(n.Used),
		Calls: int64(n.Calls), Turn: int64(n.Turn), Oldest: int64(n.Oldest), Bytes: n.Bytes, Damaged: validText(n.Damaged),
	}
	switch n.Persist {
	case session.PersistState:
		out.Persist = pb.Persist_PERSIST_STATE
	case session.PersistNone:
		out.Persist = pb.Persist_PERSIST_NONE
	}
	if n.Parent != nil {
		out.Parent = &pb.Session_Parent{SessionId: n.Parent.ID, Turn: int64(n.Parent.Turn)}
	}
	if c.Remote && n.Damaged != "" {
		out.Damaged = "what is stored of it cannot be read"
	}
	return out
}

func turnOf(t *session.Turn) *pb.Turn {
	return &pb.Turn{
		Number: int64(t.Number), Time: timestamppb.New(t.Time), Status: validText(t.Status),
		FilesCreated: filesOf(t.FilesCreated), FilesModified: filesOf(t.FilesModified), FilesDeleted: deletedOf(t.FilesDeleted),
		FilesOmitted: uint64(max(t.FilesOmitted, 0)), //nolint:gosec // bounded
		State:        t.State != "", StateBytes: t.StateBytes,
	}
}
