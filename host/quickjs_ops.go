package host

import (
	"context"
	"crypto/md5" //nolint:gosec // programs ask for it by name
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // programs ask for it by name
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sandboxd/sandboxd/host/image"
	"github.com/sandboxd/sandboxd/policies"
)

// operation is one that JavaScript can ask for.
type operation struct {
	name string
	// cost is what one takes in fuel beside the call, about one unit for each
	// nanosecond, and perByte what each byte of its text and view takes besides.
	cost, perByte uint64
	// run has the view and, unless the operation is about text, a JSON object as
	// text. Both are the guest's memory, and end with the call.
	run func(ctx context.Context, in *instance, s *script, text, view []byte) (reply, error)
}

// jsOperations are all operations, by their numbers. host.js asks for their names.
var jsOperations []operation

func init() {
	const (
		light    = 1_000
		pathCall = 20_000 // as in hostCost
		deepHash = 4      // nanoseconds for a byte, without help of the processor
		showCost = 20     // for decoding it as JSON, at the end
	)
	jsOperations = []operation{
		{name: "names", run: jsNames},
		{name: "library", run: jsLibrary},
		{name: "source", run: jsSource},
		{name: "checkpoint", run: jsCheckpoint},
		{name: "begin", cost: light, run: jsBegin},
		{name: "request", cost: light, run: jsRequest},
		{name: "typescript", cost: pathCall, perByte: typescriptCost, run: jsTypeScript},
		{name: "write1", run: jsWrite1},
		{name: "write2", run: jsWrite2},
		{name: "read_stdin", cost: light, run: withArgs(jsReadStdin)},
		{name: "utf8", run: jsUTF8},
		{name: "text", run: jsText},
		{name: "hash", cost: light, perByte: deepHash, run: jsHash},
		{name: "random", cost: light, run: withArgs(jsRandom)},
		{name: "now", run: jsNow},
		{name: "sleep", run: withArgs(jsSleep)},
		{name: "memory", run: jsMemory},
		{name: "exit", run: withArgs(jsExit)},
		{name: "report", cost: light, run: jsReport},
		{name: "display", cost: light, perByte: showCost, run: jsDisplay},
		{name: "open", cost: pathCall, run: withArgs(jsOpen)},
		{name: "close", cost: light, run: withArgs(jsClose)},
		{name: "read", cost: light, run: withArgs(jsRead)},
		{name: "pwrite", cost: light, run: jsPwrite},
		{name: "fstat", cost: light, run: withArgs(jsFstat)},
		{name: "stat", cost: pathCall, run: withArgs(jsStat)},
		{name: "lstat", cost: pathCall, run: withArgs(jsLstat)},
		{name: "readdir", cost: pathCall, run: jsReaddir},
		{name: "mkdir", cost: pathCall, run: withArgs(jsMkdir)},
		{name: "rmdir", cost: pathCall, run: withArgs(jsRmdir)},
		{name: "unlink", cost: pathCall, run: withArgs(jsUnlink)},
		{name: "rename", cost: pathCall, run: withArgs(jsRename)},
		{name: "truncate", cost: pathCall, run: withArgs(jsTruncate)},
		{name: "utimes", cost: pathCall, run: withArgs(jsUtimes)},
		{name: "tool_start", cost: light, run: jsToolStart},
		{name: "tool_wait", cost: light, run: withArgs(jsToolWait)},
	}
}

// jsArgs are the arguments of all operations that take JSON.
type jsArgs struct {
	Path     string   `json:"path"`
	From     string   `json:"from"`
	To       string   `json:"to"`
	Flags    string   `json:"flags"`
	FD       *int     `json:"fd"`
	Code     *int     `json:"code"`
	Length   float64  `json:"length"`
	Position *float64 `json:"position"`
	Size     float64  `json:"size"`
	MS       float64  `json:"ms"`
	AtimeMS  float64  `json:"atimeMs"`
	MtimeMS  float64  `json:"mtimeMs"`
}

// maxArgs is the most JSON that an operation looks at, in bytes.
const maxArgs = 1 << 20

var errArguments = &failure{"EINVAL", "invalid argument"}

// decodeArgs reads JSON, which costs many times what copying it does.
func (in *instance) decodeArgs(ctx context.Context, text []byte, into any) error {
	if len(text) > maxArgs {
		return errArguments
	}
	in.pay(ctx, uint64(len(text))*20)
	if json.Unmarshal(text, into) != nil {
		return errArguments
	}
	return nil
}

// withArgs makes an operation of a function that needs its arguments only.
func withArgs(run func(ctx context.Context, in *instance, s *script, a *jsArgs) (reply, error)) func(context.Context, *instance, *script, []byte, []byte) (reply, error) {
	return func(ctx context.Context, in *instance, s *script, text, _ []byte) (reply, error) {
		var a jsArgs
		if err := in.decodeArgs(ctx, text, &a); err != nil {
			return reply{}, err
		}
		return run(ctx, in, s, &a)
	}
}

// nothing is the reply of an operation that has none.
var nothing = reply{kind: replyNothing}

func jsNames(context.Context, *instance, *script, []byte, []byte) (reply, error) {
	names := make([]string, len(jsOperations))
	for i := range jsOperations {
		names[i] = jsOperations[i].name
	}
	return replyWith(map[string]any{"names": names}), nil
}

func jsLibrary(_ context.Context, _ *instance, s *script, _, _ []byte) (reply, error) {
	return replyWith(map[string]any{"files": s.driver.order}), nil
}

func jsSource(_ context.Context, _ *instance, s *script, name, _ []byte) (reply, error) {
	source, ok := s.driver.source[string(name)]
	if !ok {
		return reply{}, &failure{"ENOENT", "no such file or directory"}
	}
	return reply{kind: replyText, data: source}, nil
}

// jsCheckpoint keeps what the warm-up tells, and nothing in a call.
func jsCheckpoint(_ context.Context, in *instance, _ *script, told, _ []byte) (reply, error) {
	if in.checkpoint != nil {
		_, _ = in.checkpoint.Write(told)
	}
	return nothing, nil
}

// jsBegin prepares the request, or ends the call: a program that cannot be made
// JavaScript of does not get to the library.
func jsBegin(ctx context.Context, in *instance, s *script, _, _ []byte) (reply, error) {
	if s.call == nil || s.prepared != nil {
		return nothing, nil
	}
	r := s.call.request
	code := s.javaScript(ctx, in)
	in.moved(len(code))
	name := r.Filename
	if strings.HasPrefix(name, "<") {
		name = "" // "<string>" and "<stdin>" are no files
	} else if name != "" && !path.IsAbs(name) {
		name = path.Join(policies.WorkspacePath, name)
	} else if name != "" {
		name = path.Clean(name)
	}
	request := map[string]any{
		"filename": name,
		"argv":     append([]string{}, r.Args...),
		"env":      s.call.profile.Env,
		"kind":     kindOf(r.Filename),
		"code":     string(code),
		"ns":       monotonic(in),
		"keep":     r.KeepState && in.image != nil,
		"stateful": (r.KeepState || r.State != nil) && in.image != nil,
	}
	if in.tools != nil {
		request["tools"] = json.RawMessage(in.tools.About())
	}
	s.prepared = replyWith(request).data
	return nothing, nil
}

// kindOf says what a file name says of the program in it.
func kindOf(filename string) string {
	switch strings.ToLower(path.Ext(filename)) {
	case ".mjs", ".mts":
		return "module"
	case ".cjs", ".cts":
		return "script"
	}
	return "auto"
}

func jsRequest(_ context.Context, in *instance, s *script, _, _ []byte) (reply, error) {
	if s.prepared == nil {
		return reply{}, &failure{"ENOENT", "there is no request"}
	}
	in.moved(len(s.prepared))
	return reply{kind: replyJSON, data: s.prepared}, nil
}

func jsWrite1(_ context.Context, in *instance, _ *script, text, view []byte) (reply, error) {
	return write(&in.stdout, text, view)
}

func jsWrite2(_ context.Context, in *instance, _ *script, text, view []byte) (reply, error) {
	return write(&in.stderr, text, view)
}

// write writes a text or a view. An output charges for itself, keeps what fits into
// its limit, and never fails.
func write(to *output, text, view []byte) (reply, error) {
	if len(view) > 0 {
		text = view
	} else {
		text = wellFormed(text)
	}
	if len(text) > 0 {
		_, _ = to.Write(text)
	}
	return nothing, nil
}

// wellFormed turns QuickJS's encoding of a string, in which half a surrogate pair is
// three bytes as if it was a character, into UTF-8 with U+FFFD for those. It copies
// what it must change.
func wellFormed(text []byte) []byte {
	if utf8.Valid(text) {
		return text
	}
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 && len(text) >= 3 && text[0] == 0xED {
			size = 3
		}
		out = utf8.AppendRune(out, r)
		text = text[size:]
	}
	return out
}

// readLimit is the most that one operation reads, in bytes: the host holds that much
// for the moment.
const readLimit = 1 << 20

// amount bounds a length that the guest asked for.
func amount(length float64) (int, error) {
	if !(length >= 0) { // also NaN, which JSON cannot hold
		return 0, errArguments
	}
	return int(min(length, readLimit)), nil
}

// stdinLimit is the most that one operation reads of standard input, in bytes: what
// the host holds while it waits.
const stdinLimit = 64 << 10

// jsReadStdin waits for input no longer than the call's deadline; see input.
func jsReadStdin(_ context.Context, in *instance, _ *script, a *jsArgs) (reply, error) {
	n, err := amount(min(a.Length, stdinLimit))
	if err != nil {
		return reply{}, err
	}
	buf := make([]byte, n)
	got := 0
	for tries := 0; n > 0 && got == 0 && tries < 100; tries++ { // a Reader may give nothing, but not for ever
		var err error
		if got, err = in.stdin.Read(buf); err != nil {
			if got == 0 && !errors.Is(err, io.EOF) {
				return reply{}, &failure{"EIO", "input/output error"}
			}
			break
		}
	}
	return reply{kind: replyBytes, data: buf[:got]}, nil
}

func jsUTF8(_ context.Context, in *instance, _ *script, text, _ []byte) (reply, error) {
	in.moved(2 * len(text))
	return copied(replyBytes, wellFormed(text))
}

func jsText(_ context.Context, in *instance, _ *script, _, view []byte) (reply, error) {
	in.moved(2 * len(view))
	if !utf8.Valid(view) {
		return nothing, nil
	}
	return copied(replyText, view)
}

// copied replies with a copy of what the guest gave, which would be gone by the time
// it is fetched.
func copied(kind int, data []byte) (reply, error) {
	if len(data) > maxReply {
		return reply{}, &failure{"ENOMEM", "the answer is too large"}
	}
	return reply{kind: kind, data: append([]byte{}, data...)}, nil
}

// hashes are by Node's names.
var hashes = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New,
	"sha384": sha512.New384, "sha512": sha512.New,
}

// jsHash hashes a view of any length, looking at the deadline now and then.
func jsHash(ctx context.Context, in *instance, _ *script, text, view []byte) (reply, error) {
	var a struct {
		Algorithm string `json:"algorithm"`
	}
	if err := in.decodeArgs(ctx, text, &a); err != nil {
		return reply{}, err
	}
	create, ok := hashes[a.Algorithm]
	if !ok {
		return reply{}, errArguments
	}
	h := create()
	for len(view) > 0 {
		n := min(len(view), 1<<20)
		_, _ = h.Write(view[:n])
		view = view[n:]
		in.checkDeadline(ctx)
	}
	return reply{kind: replyBytes, data: h.Sum(nil)}, nil
}

func jsRandom(ctx context.Context, in *instance, _ *script, a *jsArgs) (reply, error) {
	n, err := amount(min(a.Length, 64<<10))
	if err != nil {
		return reply{}, err
	}
	in.pay(ctx, 4*uint64(n)) //nolint:gosec // bounded
	buf := make([]byte, n)
	_, _ = rand.Read(buf) // never fails
	return reply{kind: replyBytes, data: buf}, nil
}

// clockBase is where JavaScript's monotonic clock begins, in nanoseconds: eleven days.
// Zeros in front of a number cost less to read than other digits do, so that a clock
// that began at nothing would cost more fuel each time it got another digit. In
// milliseconds it is an integer of 31 bits for two weeks more, which costs less.
const clockBase = 1_000_000_000_000_000

// monotonic is JavaScript's monotonic clock, in 19 digits.
func monotonic(in *instance) string { return fmt.Sprintf("%019d", clockBase+in.nanotime()) }

// jsNow gives the time of the day in milliseconds, and the monotonic clock in
// nanoseconds, which JavaScript's numbers cannot hold. Both have the same number of
// digits at all times, so that reading them takes the same fuel.
func jsNow(_ context.Context, in *instance, _ *script, _, _ []byte) (reply, error) {
	return reply{kind: replyJSON, data: fmt.Appendf(nil, `{"ms":%013d,"ns":%q}`, time.Now().UnixMilli(), monotonic(in))}, nil
}

// jsSleep waits, but not past the call's deadline.
func jsSleep(ctx context.Context, in *instance, _ *script, a *jsArgs) (reply, error) {
	if d := milliseconds(a.MS); d > 0 {
		in.sleep(ctx, d)
	}
	return nothing, nil
}

// milliseconds is a time that the guest asked for.
func milliseconds(n float64) time.Duration {
	return time.Duration(min(max(n*float64(time.Millisecond), 0), math.MaxInt64/2))
}

func jsMemory(_ context.Context, in *instance, _ *script, _, _ []byte) (reply, error) {
	size := in.region.Size() / image.PageSize * image.PageSize
	return replyWith(map[string]uint64{"rss": size, "heapTotal": size, "heapUsed": size}), nil
}

// jsExit ends the call: nothing of the guest runs any more. Where the interpreter is to
// be kept it comes back, for the guest to return from its entry function; a program
// that forges this gets more of its own fuel spent, and another exit code.
func jsExit(_ context.Context, in *instance, s *script, a *jsArgs) (reply, error) {
	code := 0
	if a.Code != nil {
		code = *a.Code & 0xFF
	}
	if s.call == nil || !s.call.request.KeepState || in.image == nil {
		in.end(ending{status: StatusOK, exitCode: code})
	}
	f := &in.farewell
	f.left, f.most = s.open.left(), len(s.open)
	f.text = fmt.Appendf(nil, `{"exit":%d}`, code)
	return nothing, nil
}

// jsDisplay shows a bundle. A program may write anything here: see shown.
func jsDisplay(_ context.Context, in *instance, _ *script, text, _ []byte) (reply, error) {
	if _, err := in.shown.Write(text); err != nil {
		return reply{}, &failure{"ENOSPC", err.Error()}
	}
	return nothing, nil
}

// jsReport replaces what the result will tell of an error. It informs people and
// decides nothing: a program may forge it.
func jsReport(ctx context.Context, in *instance, _ *script, text, _ []byte) (reply, error) {
	var e GuestError
	if err := in.decodeArgs(ctx, text, &e); err != nil {
		return reply{}, err
	}
	in.report.set(&e)
	return nothing, nil
}
