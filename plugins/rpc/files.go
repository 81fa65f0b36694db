package rpc

import (
	"context"
	"encoding/base64"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sandboxd/sandboxd/host/workspace"
	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

const (
	// maxData is the most that one message of an upload holds, sentData what one of a
	// download holds.
	maxData  = 1 << 20
	sentData = 128 << 10
	// maxProblems is how many entries that cannot be read a page tells of.
	maxProblems = 100
	// maxPageNames is the most bytes that the names of one page have together, give or
	// take one name.
	maxPageNames = 1 << 20
)

var kinds = map[workspace.Kind]pb.Entry_Kind{
	workspace.KindFile:      pb.Entry_KIND_FILE,
	workspace.KindDirectory: pb.Entry_KIND_DIRECTORY,
	workspace.KindLink:      pb.Entry_KIND_LINK,
	workspace.KindOther:     pb.Entry_KIND_OTHER,
}

func entryOf(e workspace.Entry) *pb.Entry {
	return &pb.Entry{
		Path: validText(e.Path), Kind: kinds[e.Kind], Size: e.Size, Modified: timestamppb.New(e.Modified), Sha256: e.SHA256,
	}
}

// ListFiles implements [pb.SandboxServer].
func (s *Server) ListFiles(ctx context.Context, r *pb.ListFilesRequest) (_ *pb.ListFilesResponse, err error) {
	c, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	size, err := pageSize(r.GetPageSize())
	if err != nil {
		return nil, err
	}
	after, err := base64.RawURLEncoding.DecodeString(r.GetPageToken())
	if err != nil {
		return nil, badField("page_token", "not one of this service's")
	}
	w, err := s.service.Files(ctx, c, r.GetSessionId())
	if err != nil {
		return nil, s.fail(ctx, c, err, resource{"session", r.GetSessionId()})
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	out := &pb.ListFilesResponse{}
	last, names := "", 0
	for e, err := range w.List(ctx, workspace.ListOptions{Pattern: r.GetPattern(), After: string(after), Hash: r.GetHash()}) {
		switch {
		case err != nil && e.Path == "":
			return nil, s.fail(ctx, c, err)
		case err != nil:
			if len(out.Problems) < maxProblems {
				out.Problems = append(out.Problems, validText(err.Error()))
			}
			continue
		case len(out.Entries) == size || names >= maxPageNames:
			out.NextPageToken = base64.RawURLEncoding.EncodeToString([]byte(last))
			return out, nil
		}
		out.Entries = append(out.Entries, entryOf(e))
		last, names = e.Path, names+len(e.Path)
	}
	return out, nil
}

// ReadFile implements [pb.SandboxServer].
func (s *Server) ReadFile(r *pb.ReadFileRequest, stream grpc.ServerStreamingServer[pb.ReadFileResponse]) (err error) {
	ctx := stream.Context()
	c, err := s.caller(ctx)
	if err != nil {
		return err
	}
	length := int64(-1)
	if r.Length != nil {
		if length = r.GetLength(); length < 0 {
			return badField("length", "negative")
		}
	}
	if r.GetOffset() < 0 {
		return badField("offset", "negative")
	}
	w, err := s.service.Files(ctx, c, r.GetSessionId())
	if err != nil {
		return s.fail(ctx, c, err, resource{"session", r.GetSessionId()})
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	file, entry, err := w.Read(r.GetPath(), r.GetOffset(), length)
	if err != nil {
		return s.fail(ctx, c, err, resource{"file", r.GetPath()})
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := stream.Send(&pb.ReadFileResponse{Part: &pb.ReadFileResponse_Entry{Entry: entryOf(entry)}}); err != nil {
		return err
	}
	to := sender(func(p []byte) error {
		return stream.Send(&pb.ReadFileResponse{Part: &pb.ReadFileResponse_Data{Data: p}})
	})
	if _, err := io.CopyBuffer(to, onlyReader{file}, make([]byte, sentData)); err != nil {
		return s.fail(ctx, c, err)
	}
	return nil
}

// onlyReader hides what else a reader can do, so that it is read in pieces.
type onlyReader struct{ io.Reader }

// sender is a stream as a writer. Messages are encoded before it returns, so it keeps
// nothing.
type sender func([]byte) error

func (s sender) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(len(rest), sentData)
		if err := s(rest[:n]); err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	return len(p), nil
}

// receiver is the rest of an upload as a reader.
type receiver struct {
	next func() ([]byte, error) // io.EOF when the caller has sent all
	rest []byte
}

func (r *receiver) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		data, err := r.next()
		if err != nil {
			return 0, err
		}
		if len(data) > maxData {
			return 0, badField("data", "more than 1 MiB in a message")
		}
		r.rest = data
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// modeOf reads what to do about files that are there.
func modeOf(m pb.WriteMode) (workspace.Mode, error) {
	switch m {
	case pb.WriteMode_WRITE_MODE_UNSPECIFIED, pb.WriteMode_WRITE_MODE_CREATE:
		return workspace.Create, nil
	case pb.WriteMode_WRITE_MODE_REPLACE:
		return workspace.Replace, nil
	case pb.WriteMode_WRITE_MODE_APPEND:
		return workspace.Append, nil
	}
	return 0, badField("target.mode", "no such value")
}

var errNoTarget = badField("target", "the first message says where to write, and no other does")

// target is where an upload goes.
type target interface {
	comparable
	GetMode() pb.WriteMode
}

// piece is a message of an upload: the first says where it goes, all others hold a part
// of it.
type piece[T target] interface {
	GetTarget() T
	GetData() []byte
}

// received begins to read an upload: where it goes, what to do about files that are
// there, and what follows.
func received[M piece[T], T target](stream interface{ Recv() (M, error) }) (to T, mode workspace.Mode, from *receiver, err error) {
	var none T
	first, err := stream.Recv()
	if err != nil {
		return none, 0, nil, noTarget(err)
	}
	if to = first.GetTarget(); to == none {
		return none, 0, nil, errNoTarget
	}
	mode, err = modeOf(to.GetMode())
	return to, mode, &receiver{next: func() ([]byte, error) {
		m, err := stream.Recv()
		if err == nil && m.GetTarget() != none {
			return nil, errNoTarget
		}
		return m.GetData(), err
	}}, err
}

// WriteFile implements [pb.SandboxServer].
func (s *Server) WriteFile(stream grpc.ClientStreamingServer[pb.WriteFileRequest, pb.WriteFileResponse]) error {
	ctx := stream.Context()
	c, err := s.caller(ctx)
	if err != nil {
		return err
	}
	target, mode, from, err := received(stream)
	if err != nil {
		return err
	}
	var written workspace.Entry
	err = s.service.Edit(ctx, c, target.GetSessionId(), func(w *workspace.Workspace) (err error) {
		written, err = w.Write(ctx, target.GetPath(), mode, from)
		return err
	})
	if err != nil {
		return s.fail(ctx, c, err, resource{"session", target.GetSessionId()})
	}
	return stream.SendAndClose(&pb.WriteFileResponse{Entry: entryOf(written)})
}

// noTarget is what a stream without a first message is answered.
func noTarget(err error) error {
	if errors.Is(err, io.EOF) {
		return errNoTarget
	}
	return err
}

// DeleteFile implements [pb.SandboxServer].
func (s *Server) DeleteFile(ctx context.Context, r *pb.DeleteFileRequest) (*pb.DeleteFileResponse, error) {
	err := s.change(ctx, r.GetSessionId(), r.GetPath(), func(w *workspace.Workspace) error {
		if r.GetRecursive() {
			return w.RemoveAll(ctx, r.GetPath())
		}
		return w.Remove(r.GetPath())
	})
	if err != nil {
		return nil, err
	}
	return &pb.DeleteFileResponse{}, nil
}

// MoveFile implements [pb.SandboxServer].
func (s *Server) MoveFile(ctx context.Context, r *pb.MoveFileRequest) (*pb.MoveFileResponse, error) {
	err := s.change(ctx, r.GetSessionId(), r.GetFrom(), func(w *workspace.Workspace) error {
		return w.Move(r.GetFrom(), r.GetTo())
	})
	if err != nil {
		return nil, err
	}
	return &pb.MoveFileResponse{}, nil
}

func (s *Server) change(ctx context.Context, id, name string, do func(*workspace.Workspace) error) error {
	c, err := s.caller(ctx)
	if err != nil {
		return err
	}
	if err := s.service.Edit(ctx, c, id, do); err != nil {
		return s.fail(ctx, c, err, resource{"session", id}, resource{"file", name})
	}
	return nil
}

// DownloadWorkspace implements [pb.SandboxServer].
func (s *Server) DownloadWorkspace(r *pb.DownloadWorkspaceRequest, stream grpc.ServerStreamingServer[pb.DownloadWorkspaceResponse]) (err error) {
	ctx := stream.Context()
	c, err := s.caller(ctx)
	if err != nil {
		return err
	}
	w, err := s.service.Files(ctx, c, r.GetSessionId())
	if err != nil {
		return s.fail(ctx, c, err, resource{"session", r.GetSessionId()})
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	written, skipped, err := w.WriteTar(ctx, sender(func(p []byte) error {
		return stream.Send(&pb.DownloadWorkspaceResponse{Part: &pb.DownloadWorkspaceResponse_Data{Data: p}})
	}))
	if err != nil {
		return s.fail(ctx, c, err)
	}
	return stream.Send(&pb.DownloadWorkspaceResponse{Part: &pb.DownloadWorkspaceResponse_Transfer{Transfer: transferOf(written, skipped)}})
}

// UploadWorkspace implements [pb.SandboxServer].
func (s *Server) UploadWorkspace(stream grpc.ClientStreamingServer[pb.UploadWorkspaceRequest, pb.UploadWorkspaceResponse]) error {
	ctx := stream.Context()
	c, err := s.caller(ctx)
	if err != nil {
		return err
	}
	target, mode, from, err := received(stream)
	if err != nil {
		return err
	}
	var written workspace.Usage
	skipped := 0
	err = s.service.Edit(ctx, c, target.GetSessionId(), func(w *workspace.Workspace) (err error) {
		written, skipped, err = w.ReadTar(ctx, mode, from)
		return err
	})
	if err != nil {
		return s.fail(ctx, c, err, resource{"session", target.GetSessionId()})
	}
	return stream.SendAndClose(&pb.UploadWorkspaceResponse{Transfer: transferOf(written, skipped)})
}

func transferOf(u workspace.Usage, skipped int) *pb.Transfer {
	return &pb.Transfer{Bytes: u.Bytes, Entries: int64(u.Entries), Skipped: int64(skipped)}
}

var _ pb.SandboxServer = (*Server)(nil)
