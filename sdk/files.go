package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

// Files are the files of a session. Names are relative and separated by slashes.
// Programs chose those that are there: do not use them as names on this machine.
type Files struct{ session *Session }

// Files returns the files of the session.
func (s *Session) Files() *Files { return &Files{s} }

// Entry is something in a workspace.
type Entry struct {
	Path     string
	Kind     Kind
	Size     int64
	Modified time.Time
	// SHA256 is in hexadecimal, where it was asked for.
	SHA256 string
}

// Kind is what an entry is.
type Kind int

// The kinds of entries. Only files can be read.
const (
	KindOther Kind = iota // a pipe, socket or device
	KindFile
	KindDirectory
	KindLink
)

var kinds = map[pb.Entry_Kind]Kind{
	pb.Entry_KIND_FILE:      KindFile,
	pb.Entry_KIND_DIRECTORY: KindDirectory,
	pb.Entry_KIND_LINK:      KindLink,
}

func entryOf(m *pb.Entry) Entry {
	return Entry{m.GetPath(), kinds[m.GetKind()], m.GetSize(), m.GetModified().AsTime(), m.GetSha256()}
}

// ListOptions say which entries to list.
type ListOptions struct {
	// Pattern selects entries by their whole path, such as "*.csv", "data/**" or
	// "**/*.py". Empty lists everything.
	Pattern string
	// Hash fills in the SHA256 of files, which reads them.
	Hash bool
}

// List lists entries, a directory before what it holds. What cannot be read comes as
// an error without an entry, and the listing goes on; other errors end it.
func (f *Files) List(ctx context.Context, o ListOptions) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		token := ""
		for {
			r, err := call(ctx, f.session.client, pb.SandboxClient.ListFiles, &pb.ListFilesRequest{
				SessionId: f.session.id, Pattern: o.Pattern, Hash: o.Hash, PageToken: token,
			})
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for _, m := range r.GetEntries() {
				if !yield(entryOf(m), nil) {
					return
				}
			}
			for _, problem := range r.GetProblems() {
				if !yield(Entry{}, errors.New(problem)) {
					return
				}
			}
			if token = r.GetNextPageToken(); token == "" {
				return
			}
		}
	}
}

// ToEnd is the length of all that there is.
const ToEnd = -1

// Read writes length bytes of a file from an offset to w, or all from there on if
// length is [ToEnd], and describes the whole file.
func (f *Files) Read(ctx context.Context, path string, offset, length int64, w io.Writer) (Entry, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m := &pb.ReadFileRequest{SessionId: f.session.id, Path: path, Offset: offset}
	if length != ToEnd {
		m.Length = &length
	}
	to, err := f.session.client.link.connect(ctx)
	if err != nil {
		return Entry{}, err
	}
	stream, err := to.ReadFile(ctx, m)
	if err != nil {
		return Entry{}, to.explain(ctx, err)
	}
	var entry Entry
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return entry, nil
		}
		if err != nil {
			return Entry{}, to.explain(ctx, err)
		}
		if part.GetEntry() != nil {
			entry = entryOf(part.GetEntry())
		}
		if _, err := w.Write(part.GetData()); err != nil {
			return Entry{}, fmt.Errorf("write what %q holds: %w", path, err)
		}
	}
}

// WriteMode says what to do about a file that is there.
type WriteMode int

// The modes of writing.
const (
	WriteNew     WriteMode = iota // fail with [ErrExists]
	WriteReplace                  // replace it
	WriteAppend                   // add to it
)

var modes = map[WriteMode]pb.WriteMode{
	WriteNew:     pb.WriteMode_WRITE_MODE_CREATE,
	WriteReplace: pb.WriteMode_WRITE_MODE_REPLACE,
	WriteAppend:  pb.WriteMode_WRITE_MODE_APPEND,
}

// sentData is how much one message of an upload holds.
const sentData = 256 << 10

// Write writes a file with what r gives, up to its end, and describes it. Directories
// on the way are made. The file changes at once, or not at all.
func (f *Files) Write(ctx context.Context, path string, mode WriteMode, r io.Reader) (Entry, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // which throws away what was sent, unless all was
	to, err := f.session.client.link.connect(ctx)
	if err != nil {
		return Entry{}, err
	}
	stream, err := to.WriteFile(ctx)
	if err != nil {
		return Entry{}, to.explain(ctx, err)
	}
	err = stream.Send(&pb.WriteFileRequest{Part: &pb.WriteFileRequest_Target_{
		Target: &pb.WriteFileRequest_Target{SessionId: f.session.id, Path: path, Mode: modes[mode]},
	}})
	if err == nil {
		err = send(r, func(p []byte) error {
			return stream.Send(&pb.WriteFileRequest{Part: &pb.WriteFileRequest_Data{Data: p}})
		})
	}
	if err != nil && !errors.Is(err, errAnswered) && !errors.Is(err, io.EOF) {
		return Entry{}, to.explain(ctx, err)
	}
	answer, err := stream.CloseAndRecv()
	if err != nil {
		return Entry{}, to.explain(ctx, err)
	}
	return entryOf(answer.GetEntry()), nil
}

// errAnswered ends an upload that sandboxd has answered already.
var errAnswered = errors.New("answered")

// send sends what r gives in pieces.
func send(r io.Reader, piece func([]byte) error) error {
	buffer := make([]byte, sentData)
	for {
		n, err := io.ReadFull(r, buffer)
		if n > 0 {
			if err := piece(buffer[:n]); errors.Is(err, io.EOF) {
				return errAnswered
			} else if err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read what to send: %w", err)
		}
	}
}

// Delete deletes a file, or a directory: an empty one, or with all it holds.
func (f *Files) Delete(ctx context.Context, path string, recursive bool) error {
	_, err := call(ctx, f.session.client, pb.SandboxClient.DeleteFile, &pb.DeleteFileRequest{
		SessionId: f.session.id, Path: path, Recursive: recursive,
	})
	return err
}

// Move gives a file or a directory another name, which must be free.
func (f *Files) Move(ctx context.Context, from, to string) error {
	_, err := call(ctx, f.session.client, pb.SandboxClient.MoveFile, &pb.MoveFileRequest{SessionId: f.session.id, From: from, To: to})
	return err
}

// Transfer is what an archive held.
type Transfer struct {
	Bytes   int64 // of its files
	Entries int   // files and directories
	Skipped int   // what was left out: links, devices and the like
}

func transferOf(m *pb.Transfer) Transfer {
	return Transfer{m.GetBytes(), int(m.GetEntries()), int(m.GetSkipped())}
}

// Download writes all files to w, as a tar archive. Programs made it: unpack it with
// care.
func (f *Files) Download(ctx context.Context, w io.Writer) (Transfer, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	to, err := f.session.client.link.connect(ctx)
	if err != nil {
		return Transfer{}, err
	}
	stream, err := to.DownloadWorkspace(ctx, &pb.DownloadWorkspaceRequest{SessionId: f.session.id})
	if err != nil {
		return Transfer{}, to.explain(ctx, err)
	}
	for {
		part, err := stream.Recv()
		if err != nil {
			return Transfer{}, to.explain(ctx, noResult(err))
		}
		if part.GetTransfer() != nil {
			return transferOf(part.GetTransfer()), nil
		}
		if _, err := w.Write(part.GetData()); err != nil {
			return Transfer{}, fmt.Errorf("write the archive: %w", err)
		}
	}
}

// Upload writes the files of a tar archive; mode is not [WriteAppend]. When it fails,
// what was written so far stays.
func (f *Files) Upload(ctx context.Context, mode WriteMode, r io.Reader) (Transfer, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	to, err := f.session.client.link.connect(ctx)
	if err != nil {
		return Transfer{}, err
	}
	stream, err := to.UploadWorkspace(ctx)
	if err != nil {
		return Transfer{}, to.explain(ctx, err)
	}
	err = stream.Send(&pb.UploadWorkspaceRequest{Part: &pb.UploadWorkspaceRequest_Target_{
		Target: &pb.UploadWorkspaceRequest_Target{SessionId: f.session.id, Mode: modes[mode]},
	}})
	if err == nil {
		err = send(r, func(p []byte) error {
			return stream.Send(&pb.UploadWorkspaceRequest{Part: &pb.UploadWorkspaceRequest_Data{Data: p}})
		})
	}
	if err != nil && !errors.Is(err, errAnswered) && !errors.Is(err, io.EOF) {
		return Transfer{}, to.explain(ctx, err)
	}
	answer, err := stream.CloseAndRecv()
	if err != nil {
		return Transfer{}, to.explain(ctx, err)
	}
	return transferOf(answer.GetTransfer()), nil
}
