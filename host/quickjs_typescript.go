package host

import (
	"context"
	"crypto/sha256"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sandboxd/sandboxd/host/guestfs"
	"github.com/sandboxd/sandboxd/host/image"
	"github.com/sandboxd/sandboxd/host/wasm"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// TypeScript becomes JavaScript by way of esbuild, which is a guest itself: the WASI
// build that its authors publish, metered and confined like any other module. In the
// host's own process it would be a way in: there is TypeScript of a few kilobytes that
// keeps its parser busy for hours, nothing can stop a goroutine, and each byte of a
// deeply nested program takes up to 3 KB of a stack whose overflow ends the process.

// driverESBuild is no driver that a runtime.toml can ask for.
const driverESBuild = "esbuild"

var typescriptCompiler = &runtimes.Definition{
	Name:    "esbuild",
	Version: "0.27.2",
	Driver:  driverESBuild,
	Source: runtimes.Source{
		NPM:    "@esbuild/wasi-preview1@0.27.2",
		Path:   "esbuild.wasm",
		SHA256: "ed4ef442d8db48e201bf5f55b8cd6a8fb65d21bcfa2705cc5a7381ceed33f008",
	},
}

// Bounds of one translation. Its fuel differs from run to run, so a program pays by
// the length of what it has translated.
const (
	typescriptMaxCode = 1 << 20
	typescriptMemory  = 256 << 20
	typescriptFuel    = 8_000_000_000
	typescriptBase    = 50_000_000
	typescriptModule  = 20_000_000 // of a module that is imported: what the smallest takes
	typescriptCost    = 100
)

// esbuild is the driver of typescriptCompiler: a program on standard input, its
// translation on standard output.
type esbuild struct{}

func (esbuild) entry() image.Entry { return image.Entry{Start: "_start"} }
func (esbuild) library() string    { return "" }
func (esbuild) content() [][]byte  { return nil }

// The output has no line ends but those that [relay] makes: white space is left out,
// and template literals, which may hold them, become strings.
func (esbuild) args() []string {
	return []string{
		"esbuild", "--loader=ts", "--minify-whitespace", "--supported:template-literal=false",
		"--supported:decorators=false", "--supported:using=false",
		"--legal-comments=none", "--sourcemap=inline", "--sources-content=false",
		"--log-level=error", "--log-limit=1", "--color=false",
	}
}
func (esbuild) warmUpArgs() []string                               { return nil }
func (esbuild) files(*call) map[string]guestfs.Virtual             { return map[string]guestfs.Virtual{} }
func (esbuild) warmUpFiles(*checkpoint) map[string]guestfs.Virtual { return nil }
func (esbuild) adapt(*wasm.Module) error                           { return nil }
func (esbuild) functions() []hostFunction                          { return nil }
func (esbuild) state(*call) any                                    { return nil }
func (esbuild) selfTest() (program, stdout string)                 { return "", "" }
func (esbuild) returned(bool, uint32) error                        { return nil }
func (esbuild) outOfMemory(*GuestError) bool                       { return false }
func (esbuild) outOfDisk(*GuestError) bool                         { return false }
func (esbuild) target([]byte, []byte) (image.Target, error)        { return image.Target{}, errNoCheckpoint }

// helpers implements helped.
func (d *quickjs) helpers() []*runtimes.Definition {
	return []*runtimes.Definition{typescriptCompiler}
}

// helper implements helped: programs in TypeScript need the compiler.
func (d *quickjs) helper(r *Request) *runtimes.Definition {
	if isTypeScript(r.Language, r.Filename) {
		return typescriptCompiler
	}
	return nil
}

// mayAsk implements helped: a program in JavaScript gets the compiler when it first
// imports TypeScript.
func (d *quickjs) mayAsk(r *Request, holds func(match func(name string) bool) bool) *runtimes.Definition {
	if !imports.Match(r.Code) {
		return nil
	}
	if namesTypeScript.Match(r.Code) || namesPath.Match(r.Code) && holds(isTypeScriptSource) {
		return typescriptCompiler
	}
	return nil
}

var (
	imports         = regexp.MustCompile(`\b(?:import|require|from)\b`)
	namesPath       = regexp.MustCompile("[\"'`](?:\\.{0,2}/|file:)|\\b__dirname\\b|\\bimport\\.meta\\b")
	namesTypeScript = regexp.MustCompile(`\.[mc]?ts\b`)
)

// isTypeScriptSource goes by a file's name. Declarations hold nothing that runs.
func isTypeScriptSource(name string) bool {
	switch ext := path.Ext(name); ext {
	case ".ts", ".mts", ".cts":
		return !strings.HasSuffix(strings.TrimSuffix(name, ext), ".d")
	}
	return false
}

// isTypeScript goes by the file's name or, where it says nothing, by the language
// that was asked for.
func isTypeScript(language, filename string) bool {
	switch strings.ToLower(path.Ext(filename)) {
	case ".ts", ".mts", ".cts":
		return true
	case ".js", ".mjs", ".cjs":
		return false
	}
	return language == "typescript" || language == "ts"
}

// syntaxError is what esbuild says of a program that is none.
type syntaxError struct {
	message      string
	line, column int // from 1 and from 0; 0 if unknown
}

// Error implements error.
func (e *syntaxError) Error() string { return e.message }

// show writes what Node would, tells the result of it, and ends the call.
func (e *syntaxError) show(in *instance, filename string, code []byte) {
	var b strings.Builder
	if e.line > 0 {
		lines := strings.SplitN(string(code), "\n", e.line+1)
		text := cut(strings.TrimSuffix(lines[min(e.line, len(lines))-1], "\r"), 200)
		fmt.Fprintf(&b, "%s:%d\n%s\n%s^\n\n", filename, e.line, text, strings.Repeat(" ", min(e.column, len(text))))
	}
	fmt.Fprintf(&b, "SyntaxError: %s\n", e.message)
	_, _ = in.stderr.Write([]byte(b.String()))
	in.report.set(&GuestError{Type: "SyntaxError", Message: e.message, Line: e.line})
	in.end(ending{status: StatusOK, exitCode: 1})
}

// javaScript is the request's program in JavaScript. It ends the call if there is no
// such thing.
func (s *script) javaScript(ctx context.Context, in *instance) []byte {
	r := s.call.request
	if !isTypeScript(r.Language, r.Filename) {
		return r.Code
	}
	in.pay(ctx, typescriptBase+typescriptCost*uint64(len(r.Code)))
	code, err := s.translate(ctx, in, r.Code)
	if err != nil {
		name := r.Filename
		if name == "" {
			name = "[eval]"
		}
		err.show(in, name, r.Code)
	}
	return code
}

// jsTypeScript translates the module that a program is about to import. The compiler
// is loaded for the first one, unless the program is TypeScript itself. A hostile guest
// could try to have it loaded over and over: a call tries once.
func jsTypeScript(ctx context.Context, in *instance, s *script, text, _ []byte) (reply, error) {
	var a struct {
		Code string `json:"code"`
	}
	if err := in.decodeArgs(ctx, text, &a); err != nil {
		return reply{}, err
	}
	if !s.compiler(ctx, in) {
		return reply{}, errNoCompiler
	}
	in.pay(ctx, typescriptModule)
	code, err := s.translate(ctx, in, []byte(a.Code))
	if err != nil {
		return reply{}, &failure{"SyntaxError", err.message}
	}
	return reply{kind: replyText, data: code}, nil
}

// errNoCompiler says nothing of why: that is about the host's files and network.
var errNoCompiler = &failure{"ENOTSUP", "the compiler of TypeScript could not be loaded; " +
	"the first program must be TypeScript, or name a .ts file or have one in its workspace"}

// compiler makes sure that the compiler is there.
func (s *script) compiler(ctx context.Context, in *instance) bool {
	if s.call == nil || s.asked {
		return s.call != nil && s.call.helper != nil
	}
	s.asked = true
	if s.call.helper == nil {
		s.call.helper, _ = s.call.host.demand(ctx, typescriptCompiler) // errNoCompiler stands for the error
		in.checkDeadline(ctx)
	}
	return s.call.helper != nil
}

// translate makes JavaScript of TypeScript, each statement on the line where it was.
func (s *script) translate(ctx context.Context, in *instance, code []byte) ([]byte, *syntaxError) {
	if len(code) > typescriptMaxCode {
		return nil, &syntaxError{message: fmt.Sprintf("the program has %d bytes of TypeScript, at most %d are translated", len(code), typescriptMaxCode)}
	}
	key := sha256.Sum256(code)
	if done, ok := translations.find(key); ok {
		return done, nil
	}
	c, err := s.call.host.newCall(s.call.helper, &policies.Profile{
		Name: driverESBuild, Fuel: typescriptFuel, Memory: typescriptMemory,
		Stdout: 16 << 20, Stderr: 64 << 10, Timeout: policies.Duration(time.Hour), // ctx has the deadline
	}, &Request{Stdin: strings.NewReader(string(code))})
	if err != nil {
		in.end(ending{status: StatusInternal, err: err})
	}
	r := c.execute(ctx, func() {}, func() {})
	in.checkDeadline(ctx)
	switch {
	case r.Status == StatusOK && !r.StdoutTruncated:
		done, err := relay(r.Stdout)
		if err != nil {
			in.end(ending{status: StatusInternal, err: err})
		}
		translations.keep(key, done)
		return done, nil
	case r.Status == StatusError && strings.Contains(r.Stderr, "[ERROR]"):
		return nil, readSyntaxError(r.Stderr)
	default:
		return nil, &syntaxError{message: fmt.Sprintf("the program is TypeScript that could not be translated (%s)", r.Status)}
	}
}

var (
	esbuildMessage = regexp.MustCompile(`\[ERROR\] (.*)`)
	esbuildPlace   = regexp.MustCompile(`<stdin>:(\d+):(\d+):`)
)

// readSyntaxError reads esbuild's message, a text for people: what it does not find
// there is left out.
func readSyntaxError(said string) *syntaxError {
	e := &syntaxError{message: "Invalid or unexpected token"}
	if m := esbuildMessage.FindStringSubmatch(said); m != nil {
		e.message = cut(m[1], 500)
	}
	if m := esbuildPlace.FindStringSubmatch(said); m != nil {
		e.line, _ = strconv.Atoi(m[1])
		e.column, _ = strconv.Atoi(m[2])
	}
	return e
}

// translated keeps the last translations: the same program is often run again. What
// it gives is a function of the program alone, which a caller cannot choose for
// another one's.
type translated struct {
	mu    sync.Mutex
	kept  map[[sha256.Size]byte][]byte
	bytes int
}

// translationsLimit is how many bytes of JavaScript are kept.
const translationsLimit = 8 << 20

var translations translated

func (t *translated) find(key [sha256.Size]byte) ([]byte, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	code, ok := t.kept[key]
	return code, ok
}

func (t *translated) keep(key [sha256.Size]byte, code []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept == nil || t.bytes+len(code) > translationsLimit {
		t.kept, t.bytes = map[[sha256.Size]byte][]byte{}, 0
	}
	t.kept[key] = code
	t.bytes += len(code)
}
