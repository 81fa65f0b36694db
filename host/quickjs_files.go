package host

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero/experimental/sys"
	wazerosys "github.com/tetratelabs/wazero/sys"

	"github.com/sandboxd/sandboxd/host/guestfs"
	"github.com/sandboxd/sandboxd/policies"
)

// The operations on files are those of the guest's file system, which confines and
// counts; see package guestfs. What is added here is the translation from and to
// what JavaScript knows, and the table of open files.

// openFiles are a program's open files by descriptor, less firstFile. The file
// system bounds how many there are, and closes those that are left.
type openFiles []sys.File

// firstFile is the first descriptor: those before it are the standard streams.
const firstFile = 3

// add gives a file the lowest free descriptor.
func (o *openFiles) add(f sys.File) int {
	for i, used := range *o {
		if used == nil {
			(*o)[i] = f
			return i + firstFile
		}
	}
	*o = append(*o, f)
	return len(*o) - 1 + firstFile
}

// goneFile stands for the descriptors of files that earlier calls left open: no other
// file gets their numbers.
type goneFile struct{ sys.UnimplementedFile }

// openAfter is the table of a call that goes on from one which used n descriptors up.
func openAfter(n uint32) openFiles {
	var o openFiles
	for range n {
		o = append(o, goneFile{})
	}
	return o
}

// left reports whether a file is open.
func (o openFiles) left() bool {
	return slices.ContainsFunc(o, func(f sys.File) bool { return f != nil && f != goneFile{} })
}

// find returns the open file with a descriptor, which may be any number or none.
func (o openFiles) find(fd *int) (sys.File, error) {
	if fd == nil || *fd < firstFile || *fd-firstFile >= len(o) || o[*fd-firstFile] == nil {
		return nil, &failure{"EBADF", "bad file descriptor"}
	}
	f := o[*fd-firstFile]
	if _, gone := f.(goneFile); gone {
		return nil, &failure{"EBADF", "bad file descriptor"}
	}
	return f, nil
}

// absolute makes a path absolute, in its shortest form, as seen from the workspace.
// A slash at its end stays: it asks for a directory.
func absolute(p string) (string, error) {
	if p == "" {
		return "", errnoFailure(sys.ENOENT)
	}
	from := policies.WorkspacePath
	if strings.HasPrefix(p, "/") {
		from = "/"
	}
	full := path.Join(from, p)
	if strings.HasSuffix(p, "/") || strings.HasSuffix(p, "/.") {
		full += "/"
	}
	return full, nil
}

const codeNoSpace = "ENOSPC"

// errnoNames are the codes of wazero's error numbers in Node.
var errnoNames = map[sys.Errno]string{
	sys.EACCES: "EACCES", sys.EAGAIN: "EAGAIN", sys.EBADF: "EBADF", sys.EEXIST: "EEXIST", sys.EFAULT: "EFAULT",
	sys.EINTR: "EINTR", sys.EINVAL: "EINVAL", sys.EIO: "EIO", sys.EISDIR: "EISDIR", sys.ELOOP: "ELOOP",
	sys.ENAMETOOLONG: "ENAMETOOLONG", sys.ENOENT: "ENOENT", sys.ENOSYS: "ENOSYS", sys.ENOTDIR: "ENOTDIR",
	sys.ERANGE: "ERANGE", sys.ENOTEMPTY: "ENOTEMPTY", sys.ENOTSOCK: "ENOTSOCK", sys.ENOTSUP: "ENOTSUP",
	sys.EPERM: "EPERM", sys.EROFS: "EROFS",
}

func errnoFailure(errno sys.Errno) error {
	if errno == 0 {
		return nil
	}
	code, ok := errnoNames[errno]
	if !ok {
		code = "EIO"
	}
	text := errno.Error()
	if errno == sys.EPERM {
		text = "operation not permitted"
	}
	return &failure{code, text}
}

// refusal is what JavaScript sees of an error number. Limits have codes of their own
// in Node, which wazero's numbers lack.
func (in *instance) refusal(errno sys.Errno) error {
	if errno == sys.EIO {
		switch in.denial {
		case guestfs.LimitBytes, guestfs.LimitFiles, guestfs.LimitFileSize:
			return &failure{codeNoSpace, "no space left on device"}
		case guestfs.LimitOpen:
			return &failure{"EMFILE", "too many open files"}
		case guestfs.LimitDepth, guestfs.LimitPath, guestfs.LimitName:
		}
	}
	return errnoFailure(errno)
}

// onPath runs an operation on one path that gives nothing.
func (in *instance) onPath(p string, run func(p string) sys.Errno) (reply, error) {
	full, err := absolute(p)
	if err == nil {
		err = in.refusal(run(full))
	}
	return nothing, err
}

// openFlags are Node's, without those that make writes synchronous.
var openFlags = map[string]sys.Oflag{
	"r":   sys.O_RDONLY,
	"r+":  sys.O_RDWR,
	"w":   sys.O_WRONLY | sys.O_CREAT | sys.O_TRUNC,
	"wx":  sys.O_WRONLY | sys.O_CREAT | sys.O_TRUNC | sys.O_EXCL,
	"w+":  sys.O_RDWR | sys.O_CREAT | sys.O_TRUNC,
	"wx+": sys.O_RDWR | sys.O_CREAT | sys.O_TRUNC | sys.O_EXCL,
	"a":   sys.O_WRONLY | sys.O_CREAT | sys.O_APPEND,
	"ax":  sys.O_WRONLY | sys.O_CREAT | sys.O_APPEND | sys.O_EXCL,
	"a+":  sys.O_RDWR | sys.O_CREAT | sys.O_APPEND,
	"ax+": sys.O_RDWR | sys.O_CREAT | sys.O_APPEND | sys.O_EXCL,
}

func jsOpen(_ context.Context, in *instance, s *script, a *jsArgs) (reply, error) {
	flag, ok := openFlags[a.Flags]
	if !ok {
		return reply{}, errArguments
	}
	full, err := absolute(a.Path)
	if err != nil {
		return reply{}, err
	}
	f, errno := in.files.OpenFile(full, flag, 0o600)
	if errno != 0 {
		return reply{}, in.refusal(errno)
	}
	return reply{kind: replyNumber, number: s.open.add(f)}, nil
}

func jsClose(_ context.Context, in *instance, s *script, a *jsArgs) (reply, error) {
	f, err := s.open.find(a.FD)
	if err != nil {
		return reply{}, err
	}
	s.open[*a.FD-firstFile] = nil
	return nothing, in.refusal(f.Close())
}

// offset checks a position in a file: a whole number, exactly.
func offset(position float64) (int64, error) {
	if !(position >= 0 && position <= 1<<53) || position != math.Trunc(position) {
		return 0, errArguments
	}
	return int64(position), nil
}

// jsRead reads at a position or, without one, from where the last read ended.
func jsRead(_ context.Context, in *instance, s *script, a *jsArgs) (reply, error) {
	f, err := s.open.find(a.FD)
	if err != nil {
		return reply{}, err
	}
	n, err := amount(a.Length)
	if err != nil {
		return reply{}, err
	}
	buf := make([]byte, n)
	var errno sys.Errno
	if a.Position == nil {
		n, errno = f.Read(buf)
	} else {
		at, err := offset(*a.Position)
		if err != nil {
			return reply{}, err
		}
		n, errno = f.Pread(buf, at)
	}
	if errno != 0 {
		return reply{}, in.refusal(errno)
	}
	return reply{kind: replyBytes, data: buf[:n]}, nil
}

// jsPwrite writes at a position or, without one, where the last write ended; always
// at the end of a file that was opened for appending.
func jsPwrite(ctx context.Context, in *instance, s *script, text, view []byte) (reply, error) {
	var a jsArgs
	if err := in.decodeArgs(ctx, text, &a); err != nil {
		return reply{}, err
	}
	f, err := s.open.find(a.FD)
	if err != nil {
		return reply{}, err
	}
	view = view[:min(len(view), replySize)]
	var n int
	var errno sys.Errno
	if a.Position == nil || f.IsAppend() {
		n, errno = f.Write(view)
	} else {
		at, err := offset(*a.Position)
		if err != nil {
			return reply{}, err
		}
		n, errno = f.Pwrite(view, at)
	}
	if errno != 0 {
		return reply{}, in.refusal(errno)
	}
	return reply{kind: replyNumber, number: n}, nil
}

// jsStatus is what JavaScript is told of a file. Numbers fit into a double.
type jsStatus struct {
	Kind    string  `json:"kind"`
	Size    int64   `json:"size"`
	Mode    uint32  `json:"mode"`
	Ino     uint64  `json:"ino"`
	AtimeMS float64 `json:"atimeMs"`
	MtimeMS float64 `json:"mtimeMs"`
	CtimeMS float64 `json:"ctimeMs"`
}

func (in *instance) status(st wazerosys.Stat_t, errno sys.Errno) (reply, error) {
	if errno != 0 {
		return reply{}, in.refusal(errno)
	}
	return replyWith(jsStatus{
		Kind:    kindOfFile(st.Mode),
		Size:    st.Size,
		Mode:    uint32(st.Mode.Perm()),
		Ino:     st.Ino & (1<<53 - 1),
		AtimeMS: float64(st.Atim) / 1e6,
		MtimeMS: float64(st.Mtim) / 1e6,
		CtimeMS: float64(st.Ctim) / 1e6,
	}), nil
}

func kindOfFile(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "directory"
	case mode&fs.ModeSymlink != 0:
		return "link"
	}
	return "file"
}

func jsStat(_ context.Context, in *instance, _ *script, a *jsArgs) (reply, error) {
	full, err := absolute(a.Path)
	if err != nil {
		return reply{}, err
	}
	return in.status(in.files.Stat(full))
}

func jsLstat(_ context.Context, in *instance, _ *script, a *jsArgs) (reply, error) {
	full, err := absolute(a.Path)
	if err != nil {
		return reply{}, err
	}
	return in.status(in.files.Lstat(full))
}

func jsFstat(_ context.Context, in *instance, s *script, a *jsArgs) (reply, error) {
	f, err := s.open.find(a.FD)
	if err != nil {
		return reply{}, err
	}
	return in.status(f.Stat())
}

// maxEntries is the longest listing that is given at once, which is more than the
// quota lets a program make. The file system charges for each entry.
const maxEntries = 100_000

type jsEntry struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
}

// jsReaddir lists a directory in portions, between which it looks at the deadline.
func jsReaddir(ctx context.Context, in *instance, _ *script, text, _ []byte) (_ reply, err error) {
	var a jsArgs
	if err := in.decodeArgs(ctx, text, &a); err != nil {
		return reply{}, err
	}
	full, err := absolute(a.Path)
	if err != nil {
		return reply{}, err
	}
	dir, errno := in.files.OpenFile(full, sys.O_RDONLY|sys.O_DIRECTORY, 0)
	if errno != 0 {
		return reply{}, in.refusal(errno)
	}
	defer func() { err = errors.Join(err, in.refusal(dir.Close())) }()
	entries := []jsEntry{}
	for {
		portion, errno := dir.Readdir(1000)
		if errno != 0 {
			return reply{}, in.refusal(errno)
		}
		if len(portion) == 0 {
			return replyWith(map[string]any{"entries": entries}), nil
		}
		if len(entries)+len(portion) > maxEntries {
			return reply{}, &failure{"ENOMEM", "the directory has too many entries"}
		}
		in.pay(ctx, uint64(len(portion))*500)
		for _, e := range portion {
			entries = append(entries, jsEntry{e.Name, kindOfFile(e.Type)})
		}
	}
}

func jsMkdir(_ context.Context, in *instance, _ *script, a *jsArgs) (reply, error) {
	return in.onPath(a.Path, func(p string) sys.Errno { return in.files.Mkdir(p, 0o700) })
}

func jsRmdir(_ context.Context, in *instance, _ *script, a *jsArgs) (reply, error) {
	return in.onPath(a.Path, in.files.Rmdir)
}

func jsUnlink(_ context.Context, in *instance, _ *script, a *jsArgs) (reply, error) {
	return in.onPath(a.Path, in.files.Unlink)
}

func jsRename(_ context.Context, in *instance, _ *script, a *jsArgs) (reply, error) {
	to, err := absolute(a.To)
	if err != nil {
		return reply{}, err
	}
	return in.onPath(a.From, func(from string) sys.Errno { return in.files.Rename(from, to) })
}

// jsTruncate sets the size of an open file or of one by its path.
func jsTruncate(_ context.Context, in *instance, s *script, a *jsArgs) (reply, error) {
	size, err := offset(a.Size)
	if err != nil {
		return reply{}, err
	}
	if a.FD != nil {
		f, err := s.open.find(a.FD)
		if err != nil {
			return reply{}, err
		}
		return nothing, in.refusal(f.Truncate(size))
	}
	return in.onPath(a.Path, func(p string) sys.Errno {
		f, errno := in.files.OpenFile(p, sys.O_WRONLY, 0)
		if errno != 0 {
			return errno
		}
		errno = f.Truncate(size)
		if closed := f.Close(); errno == 0 {
			errno = closed
		}
		return errno
	})
}

func jsUtimes(_ context.Context, in *instance, _ *script, a *jsArgs) (reply, error) {
	var times [2]int64
	for i, ms := range []float64{a.AtimeMS, a.MtimeMS} {
		if math.Abs(ms) > 1<<53 {
			return reply{}, errArguments
		}
		times[i] = int64(max(min(ms, math.MaxInt64/1e6), math.MinInt64/1e6) * 1e6)
	}
	return in.onPath(a.Path, func(p string) sys.Errno { return in.files.Utimens(p, times[0], times[1]) })
}
