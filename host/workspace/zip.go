package workspace

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// WriteZip is [Workspace.WriteTar] for a zip archive: files are deflated, and to gets
// the archive from its beginning to its end.
func (w *Workspace) WriteZip(ctx context.Context, to io.Writer) (written Usage, skipped int, err error) {
	out := zip.NewWriter(to)
	written, skipped, err = w.pack(ctx, func(e Entry) error { return w.zipEntry(ctx, out, e) })
	if err != nil {
		return written, skipped, err
	}
	return written, skipped, out.Close()
}

func (w *Workspace) zipEntry(ctx context.Context, out *zip.Writer, e Entry) error {
	h := zip.FileHeader{Name: e.Path, Modified: e.Modified, Method: zip.Deflate}
	switch e.Kind {
	case KindDirectory:
		h.Name, h.Method = e.Path+"/", zip.Store
		h.SetMode(os.ModeDir | 0o755)
		_, err := out.CreateHeader(&h)
		return err
	case KindFile:
	case KindLink, KindOther:
		return errLeftOut
	}
	file, opened, err := w.Read(e.Path, 0, -1)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // opened for reading
	h.Modified = opened.Modified
	h.SetMode(0o644)
	content, err := out.CreateHeader(&h)
	if err != nil {
		return err
	}
	return copyAll(ctx, content, file, opened.Size)
}

const (
	// zipDirectory is the most bytes of a zip archive that are read to find out what
	// is in it: each entry takes 46 of them at least, and some hundred of memory.
	zipDirectory = 16 << 20
	// zipOverhead is how much longer an archive may be than what it may hold, for
	// each entry that it may have and once more.
	zipOverhead = 8 << 10
)

// ReadZip is [Workspace.ReadTar] for a zip archive. The list of what is in one stands
// at its end, so it goes to a temporary file first, which may have as many bytes as
// the limits allow, and a little for each entry.
//
// A hostile archive may claim any sizes and any number of entries, have content that
// unpacks to very much or that several entries share, and name anything: content
// counts as it is unpacked, and ends at the limits; the list is bounded on its own;
// names are those of other methods. One that is in it twice, an entry that is
// encrypted, and one whose content is not what the list says make it fail.
func (w *Workspace) ReadZip(ctx context.Context, mode Mode, from io.Reader) (written Usage, skipped int, err error) {
	if mode == Append {
		return Usage{}, 0, fmt.Errorf("unpack: %w: an archive cannot be appended", ErrName)
	}
	file, size, err := w.spool(ctx, from)
	if err != nil {
		return Usage{}, 0, err
	}
	defer func() { _ = errors.Join(file.Close(), os.Remove(file.Name())) }() // it is temporary
	defer func() {
		err = damaged(err, errEncrypted, zip.ErrFormat, zip.ErrAlgorithm, zip.ErrChecksum, io.ErrUnexpectedEOF)
	}()
	list := &allowance{file, zipDirectory}
	in, err := zip.NewReader(list, size)
	if err != nil {
		return Usage{}, 0, fmt.Errorf("unpack: %w", err)
	}
	list.left = -1

	w.adding.Lock()
	defer w.adding.Unlock()
	used, err := w.Measure(ctx)
	if err != nil {
		return Usage{}, 0, err
	}
	u := unpacker{w: w, mode: mode, used: used}
	seen := make(map[string]bool, len(in.File))
	for _, f := range in.File {
		if seen[f.Name] {
			return u.written, u.skipped, fail("unpack", f.Name, fmt.Errorf("%w in the archive", ErrExists))
		}
		seen[f.Name] = true
		if err := u.unzip(ctx, f); err != nil {
			return u.written, u.skipped, fail("unpack", f.Name, err)
		}
	}
	return u.written, u.skipped, nil
}

// spool copies an archive to a temporary file.
func (w *Workspace) spool(ctx context.Context, from io.Reader) (_ *os.File, size int64, err error) {
	file, err := os.CreateTemp("", "sandboxd-zip-")
	if err != nil {
		return nil, 0, fmt.Errorf("unpack: %w", err)
	}
	limit := w.limits.Bytes
	if more := zipOverhead * (int64(min(w.limits.Entries, 1<<32)) + 1); limit+more > limit {
		limit += more
	}
	size, err = io.Copy(file, &capped{observed{ctx, from}, limit})
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("unpack: %w", err), file.Close(), os.Remove(file.Name()))
	}
	return file, size, nil
}

// allowance reads at most so many bytes; a negative number is no bound.
type allowance struct {
	io.ReaderAt

	left int64
}

// ReadAt implements io.ReaderAt.
func (a *allowance) ReadAt(p []byte, at int64) (int, error) {
	if a.left >= 0 {
		if a.left -= int64(len(p)); a.left < 0 {
			a.left = 0
			return 0, fmt.Errorf("%w: the archive's list of entries has more than %d bytes", ErrQuota, zipDirectory)
		}
	}
	return a.ReaderAt.ReadAt(p, at)
}

var errEncrypted = errors.New("it is encrypted; write an archive without a password")

func (u *unpacker) unzip(ctx context.Context, f *zip.File) error {
	const encrypted = 1
	name := strings.TrimPrefix(f.Name, "./")
	if mode := f.Mode(); mode.IsDir() {
		if name = strings.TrimSuffix(name, "/"); name == "" || name == "." {
			return nil // the workspace itself
		}
		return u.directory(name)
	} else if !mode.IsRegular() {
		u.skipped++
		return nil
	}
	if f.Flags&encrypted != 0 {
		return errEncrypted
	}
	content, err := f.Open()
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }() // its reader reports what is wrong
	return u.file(ctx, name, f.Modified, f.Modified, content)
}
