package workspace

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"
)

// WriteTar writes the files and directories of a workspace as a tar archive, and says
// what it wrote and how many entries it left out: links, everything else that is no
// file or directory, and what cannot be read. Memory is bounded as by
// [Workspace.List]. A file that a guest cuts while it is read makes it fail, as does
// to.
func (w *Workspace) WriteTar(ctx context.Context, to io.Writer) (written Usage, skipped int, err error) {
	out := tar.NewWriter(to)
	written, skipped, err = w.pack(ctx, func(e Entry) error { return w.writeEntry(ctx, out, e) })
	if err != nil {
		return written, skipped, err
	}
	return written, skipped, out.Close()
}

// pack gives every entry of the workspace to add, which writes it to an archive.
func (w *Workspace) pack(ctx context.Context, add func(Entry) error) (written Usage, skipped int, err error) {
	for e, err := range w.List(ctx, ListOptions{}) {
		if err != nil && e.Path == "" {
			return written, skipped, err
		}
		if err == nil {
			err = add(e)
		}
		switch {
		case errors.Is(err, errLeftOut), errors.Is(err, ErrNotFound), errors.Is(err, ErrNotRegular), errors.Is(err, fs.ErrPermission):
			skipped++
		case err != nil:
			return written, skipped, fail("archive", e.Path, err)
		default:
			written.Entries++
			written.Bytes += e.Size
		}
	}
	return written, skipped, nil
}

var errLeftOut = errors.New("left out")

func (w *Workspace) writeEntry(ctx context.Context, out *tar.Writer, e Entry) error {
	h := tar.Header{Name: e.Path, ModTime: e.Modified, Mode: 0o644, Typeflag: tar.TypeReg}
	switch e.Kind {
	case KindDirectory:
		h.Name, h.Mode, h.Typeflag = e.Path+"/", 0o755, tar.TypeDir
		return out.WriteHeader(&h)
	case KindFile:
	case KindLink, KindOther:
		return errLeftOut
	}
	file, opened, err := w.Read(e.Path, 0, -1)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // opened for reading
	h.Size, h.ModTime = opened.Size, opened.Modified
	if err := out.WriteHeader(&h); err != nil {
		return err
	}
	return copyAll(ctx, out, file, h.Size)
}

// copyAll copies size bytes, which must be there.
func copyAll(ctx context.Context, to io.Writer, from io.Reader, size int64) error {
	_, err := io.CopyN(to, &observed{ctx, from}, size)
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("it was cut while it was read: %w", io.ErrUnexpectedEOF)
	}
	return err
}

// ReadTar writes the files and directories of a tar archive, which may be hostile as
// well, and says what it wrote and how many entries it left out: links, devices and
// the like. Names are what other methods take, except that a leading "./" and a
// directory's trailing slash are let go of. mode is as in [Workspace.Write], but for
// Append, which is [ErrName]; directories may be there already. The limits apply at
// every step, whatever the archive's headers say. When it fails, what was written so
// far stays.
func (w *Workspace) ReadTar(ctx context.Context, mode Mode, from io.Reader) (written Usage, skipped int, err error) {
	if mode == Append {
		return Usage{}, 0, fmt.Errorf("unpack: %w: an archive cannot be appended", ErrName)
	}
	defer func() { err = damaged(err, tar.ErrHeader, io.ErrUnexpectedEOF) }()
	w.adding.Lock()
	defer w.adding.Unlock()
	used, err := w.Measure(ctx)
	if err != nil {
		return Usage{}, 0, err
	}
	u := unpacker{w: w, mode: mode, used: used}
	in := tar.NewReader(&observed{ctx, from})
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return u.written, u.skipped, nil
		}
		if err != nil {
			return u.written, u.skipped, fmt.Errorf("unpack: %w", err)
		}
		if err := u.entry(ctx, h, in); err != nil {
			return u.written, u.skipped, fail("unpack", h.Name, err)
		}
	}
}

// damaged makes an error an [ErrArchive] if it is of one of the classes that say so.
func damaged(err error, classes ...error) error {
	for _, class := range classes {
		if errors.Is(err, class) {
			return fmt.Errorf("%w: %w", ErrArchive, err)
		}
	}
	return err
}

// unpacker is one archive being written to a workspace.
type unpacker struct {
	w       *Workspace
	mode    Mode
	used    Usage // what the workspace holds by now
	written Usage
	skipped int
}

func (u *unpacker) entry(ctx context.Context, h *tar.Header, content io.Reader) error {
	name := strings.TrimPrefix(h.Name, "./")
	switch h.Typeflag {
	case tar.TypeDir:
		if name = strings.TrimSuffix(name, "/"); name == "" || name == "." {
			return nil // the workspace itself
		}
		return u.directory(name)
	case tar.TypeReg:
		return u.file(ctx, name, h.AccessTime, h.ModTime, content)
	}
	u.skipped++
	return nil
}

func (u *unpacker) directory(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	before := u.used.Entries
	at, err := u.w.makeParent(name+"/.", &u.used)
	if err != nil {
		return err
	}
	at.done()
	u.written.Entries += u.used.Entries - before
	return nil
}

// file writes a file and sets its times, but for those that are zero.
func (u *unpacker) file(ctx context.Context, name string, accessed, modified time.Time, content io.Reader) error {
	if err := checkName(name); err != nil {
		return err
	}
	before := u.used.Entries
	at, err := u.w.makeParent(name, &u.used)
	if err != nil {
		return err
	}
	defer at.done()
	old, err := at.replaceable(u.mode)
	if err != nil {
		return err
	}
	if old == nil {
		u.used.Entries++
	} else if old.Mode().IsRegular() {
		u.used.Bytes -= old.Size()
	}
	if u.used.Entries > u.w.limits.Entries {
		return fmt.Errorf("%w: more than %d entries", ErrQuota, u.w.limits.Entries)
	}
	e, err := at.put(name, &capped{observed{ctx, content}, u.w.limits.Bytes - u.used.Bytes})
	if err != nil {
		return err
	}
	u.used.Bytes += e.Size
	u.written.Bytes += e.Size
	u.written.Entries += u.used.Entries - before
	if old != nil {
		u.written.Entries++
	}
	if err := at.Chtimes(at.name, accessed, modified); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
