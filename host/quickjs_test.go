package host

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/sandboxd/sandboxd/host/wasm"
	"github.com/sandboxd/sandboxd/policies"
)

// rawJavaScript is JavaScript with a library that gives programs the host itself,
// which they must not have otherwise: everything may be done with it.
func rawJavaScript(t testing.TB) (*Host, *plugin) {
	t.Helper()
	h := cachedHost(t)
	definition, err := h.registry.Lookup("javascript")
	if err != nil {
		t.Fatal(err)
	}
	guest, err := os.ReadFile("../runtimes/javascript/host.js")
	if err != nil {
		t.Fatal(err)
	}
	library, err := os.ReadFile("testdata/javascript/main.js")
	if err != nil {
		t.Fatal(err)
	}
	raw := *definition
	raw.Name = "javascript-raw"
	raw.Files = fstest.MapFS{
		"host.js":       {Data: guest},
		"lib/order.txt": {Data: []byte("main.js\n")},
		"lib/main.js":   {Data: library},
	}
	return h, snapshotted(t, h, &raw)
}

func javaScriptProfile() *policies.Profile {
	return &policies.Profile{
		Name: "raw", Fuel: 2_000_000_000, Memory: 32 << 20, Stdout: 100_000, Stderr: 10_000,
		Timeout: policies.Duration(time.Minute), Disk: policies.Disk{Quota: 1 << 20, Files: 100},
		Env: map[string]string{"LANG": "C.UTF-8"},
	}
}

// TestOperationsAnswerWhateverTheyAreAsked calls the host as a program would that got
// hold of it. Each case prints what came of it, or throws.
func TestOperationsAnswerWhateverTheyAreAsked(t *testing.T) {
	h, p := rawJavaScript(t)
	tests := []struct{ name, code, want string }{
		{"nothing at all", "host()", "Error ENOSYS: function not implemented"},
		{"a symbol", "host(Symbol())", "Error ENOSYS: function not implemented"},
		{"the name of a method of all objects", "host('toString')", "Error ENOSYS: function not implemented"},
		{"no arguments", "host('open')", "Error EINVAL: invalid argument"},
		{"null for arguments", "host('open', null)", "Error EINVAL: invalid argument"},
		{"arguments of another type", "host('open', {path: 1, flags: 'r'})", "Error EINVAL: invalid argument"},
		{"an argument that cannot be JSON", "host('open', {path: 1n})", "TypeError BigInt are forbidden in JSON.stringify"},
		{"an argument that throws", "host('open', {get path() { throw new RangeError('mine') }})", "RangeError mine"},
		{"a path of two megabytes", "host('open', {path: 'x'.repeat(2e6), flags: 'r'})", "Error EINVAL: invalid argument"},
		{"a path too long", "host('open', {path: 'x/'.repeat(3000), flags: 'r'})", "Error ENAMETOOLONG: filename too long"},
		{"a zero byte in a path", "host('open', {path: 'a\\0b', flags: 'w'})", "Error EINVAL: invalid argument"},
		{"an empty path", "host('stat', {path: ''})", "Error ENOENT: no such file or directory"},
		{"a path up and out", "host('open', {path: '../../../etc/passwd', flags: 'r'})", "Error ENOENT: no such file or directory"},
		{"unknown flags", "host('open', {path: 'a', flags: 'rs'})", "Error EINVAL: invalid argument"},
		{"a descriptor beyond all numbers", "host('read', {fd: 1e300, length: 1})", "Error EINVAL: invalid argument"},
		{"a descriptor below zero", "host('read', {fd: -1, length: 1})", "Error EBADF: bad file descriptor"},
		{"no descriptor", "host('close')", "Error EBADF: bad file descriptor"},
		{"a standard stream as a file", "host('read', {fd: 0, length: 1})", "Error EBADF: bad file descriptor"},
		{"a negative length", "host('read', {fd: host('open', {path: 'a', flags: 'w+'}).fd, length: -1})", "Error EINVAL: invalid argument"},
		{"half a position", "host('read', {fd: host('open', {path: 'a', flags: 'w+'}).fd, length: 1, position: 0.5})", "Error EINVAL: invalid argument"},
		{"a position at the end of the world", "host('pwrite', {fd: host('open', {path: 'a', flags: 'w'}).fd, position: 2 ** 52}, new Uint8Array(1))", "Error ENOSPC: no space left on device"},
		{"a size at the end of the world", "host('truncate', {path: 'a', size: 1e300})", "Error EINVAL: invalid argument"},
		{"a time at the end of the world", "host('utimes', {path: 'a', atimeMs: 1e300, mtimeMs: 0})", "Error EINVAL: invalid argument"},
		{"a file to write in a read-only directory", "host('open', {path: '/x', flags: 'w'})", "Error EROFS: read-only file system"},
		{"a directory to read", "host('read', {fd: host('open', {path: '.', flags: 'r'}).fd, length: 1})", "Error EISDIR: is a directory"},
		{"more randomness than there is", "host('random', {length: 1e300}).bytes.byteLength", "65536"},
		{"a sleep into the past", "host('sleep', {ms: -1e300})", "{}"},
		{"a sleep of no time", "host('sleep', {ms: NaN})", "{}"},
		{"text that is a symbol", "host('write', {fd: 1, text: Symbol()})", "TypeError cannot convert symbol to string"},
		{"bytes of a detached buffer", "(() => { const b = new ArrayBuffer(8), v = new Uint8Array(b); b.transfer(); return host('hash', {algorithm: 'md5'}, v) })()", "TypeError ArrayBuffer is detached or resized"},
		{"bytes detached on the way", "(() => { const b = new ArrayBuffer(8), v = new Uint8Array(b); return host('hash', {get algorithm() { b.transfer(); return 'md5' }}, v) })()", "TypeError ArrayBuffer is detached or resized"},
		{"bytes of a buffer that shrank", "(() => { const b = new ArrayBuffer(80, {maxByteLength: 99}), v = new Uint8Array(b, 40); b.resize(9); return host('hash', {algorithm: 'md5'}, v) })()", "TypeError ArrayBuffer is detached or resized"},
		{"bytes of another type", "host('hash', {algorithm: 'md5'}, new Int8Array(4))", "TypeError not a Uint8Array"},
		{"no bytes", "new Uint8Array(host('hash', {algorithm: 'md5'}).bytes).slice(0, 4).join()", "212,29,140,217"},
		{"an unknown hash", "host('hash', {algorithm: 'constructor'})", "Error EINVAL: invalid argument"},
		{"a call from within a call", "(() => { let s = ''; host('write', {fd: 2, text: {toString() { s += host('now').ms > 0; return 'x' }}}); return s })()", "true"},
		{"calls from within calls, for ever", "(() => { const a = {toString() { host('write', {fd: 1, text: a}); return '' }}; a.toString() })()", "RangeError Maximum call stack size exceeded"},
		{"half a surrogate pair", "new Uint8Array(host('utf8', {text: 'a\\ud800\\ud801\\udc00é'}).bytes).join()", "97,239,191,189,240,144,144,128,195,169"},
		{"text that is not UTF-8", "host('text', {}, new Uint8Array([255]))", "{}"},
		{"text with zero bytes", "host('text', {}, new Uint8Array([65, 0, 66])).text.length", "3"},
		{"a promise", "host('promise', {value: Promise.resolve(1)}).state", "fulfilled"},
		{"no promise", "host('promise', {value: {then() {}}})", "{}"},
		{"a proxy", "host('proxy', {value: new Proxy([7], {})}).target", "[7]"},
		{"no proxy", "host('proxy', {value: {}})", "{}"},
		{"a second beginning", "host('begin')", "{}"},
		{"a checkpoint outside of a warm-up", "host('checkpoint', {random: 1})", "{}"},
		{"a file of the library that is none", "host('source', {})", "Error ENOENT: no such file or directory"},
		{"TypeScript in JavaScript", "host('typescript', {code: 'let a: number = 1'}).code.startsWith('let a=1;')", "true"},
		{"TypeScript that is none", "host('typescript', {code: 'let ='})", "SyntaxError Unexpected end of file"},
		{"the descriptor of a closed file", "(() => { const o = () => host('open', {path: 'b', flags: 'a'}).fd; const a = o(), b = o(); host('close', {fd: a}); return [b - a, o() === a] })()", "[1,true]"},
		{"polluted prototypes", "(() => { Array.prototype[0] = Object.prototype.bytes = 1; Object.defineProperty(Object.prototype, 'code', {set() { throw 1 }, configurable: true}); try { host('stat', {path: 'none'}) } finally { delete Array.prototype[0]; delete Object.prototype.bytes; delete Object.prototype.code } })()", "Error ENOENT: no such file or directory"},
		{"too many open files", "(() => { for (let i = 0; ; i++) host('open', {path: 'many', flags: 'a'}) })()", "Error EMFILE: too many open files"},
	}
	var code strings.Builder
	for _, test := range tests {
		fmt.Fprintf(&code, "try { const v = %s; console.log(v) } catch (e) { console.log(e.name ?? e, e.message) }\n", test.code)
	}
	r := run(t, h, p, javaScriptProfile(), &Request{Code: []byte(code.String())}, nil)
	if r.Status != StatusOK {
		t.Fatalf("status %s, error %+v, stderr %s", r.Status, r.Error, cut(r.Stderr, 1000))
	}
	lines := strings.Split(strings.TrimSuffix(r.Stdout, "\n"), "\n")
	if len(lines) != len(tests) {
		t.Fatalf("%d lines of %d:\n%s", len(lines), len(tests), r.Stdout)
	}
	for i, test := range tests {
		if lines[i] != test.want {
			t.Errorf("%s: got %q, want %q", test.name, lines[i], test.want)
		}
	}
}

func TestFilesOfJavaScriptAreThoseOfEveryRuntime(t *testing.T) {
	h, p := rawJavaScript(t)
	r := run(t, h, p, javaScriptProfile(), &Request{Code: []byte(`
		host('mkdir', {path: 'd'});
		const { fd } = host('open', {path: 'd/f', flags: 'wx+'});
		console.log(host('pwrite', {fd}, new Uint8Array([1, 2, 3, 4])), host('pwrite', {fd, position: 1}, new Uint8Array([9])));
		console.log([...new Uint8Array(host('read', {fd, length: 99, position: 0}).bytes)]);
		host('truncate', {fd, size: 2});
		host('utimes', {path: 'd/f', atimeMs: 1000, mtimeMs: 1234567890123});
		const { kind, size, mtimeMs, mode } = host('fstat', {fd});
		console.log({ kind, size, mtimeMs, mode });
		host('close', {fd});
		host('rename', {from: 'd/f', to: '/app/g'});
		console.log(host('readdir', {path: '.'}).entries, host('stat', {path: 'd'}).kind);
		host('rmdir', {path: 'd'});
		const a = host('open', {path: 'g', flags: 'a'}).fd;
		host('pwrite', {fd: a, position: 0}, new Uint8Array([5]));
		console.log(host('stat', {path: 'g'}).size);
		host('open', {path: 'h', flags: 'w'});
		host('unlink', {path: 'h'});
	`)}, nil)
	want := `{"written":4} {"written":1}
[1,9,3,4]
{"kind":"file","size":2,"mtimeMs":1234567890123,"mode":420}
[{"name":"d","kind":"directory"},{"name":"g","kind":"file"}] directory
3
`
	if r.Status != StatusOK || r.Stdout != want || len(r.FilesCreated) != 1 || r.FilesCreated[0].Path != "/app/g" {
		t.Errorf("got %s, %v, stderr %q, stdout\n%s\nwant\n%s", r.Status, r.FilesCreated, r.Stderr, r.Stdout, want)
	}
}

func TestJavaScriptFailsOfTheLimitThatRefusedIt(t *testing.T) {
	h, p := rawJavaScript(t)
	tests := []struct {
		name, code string
		profile    func(*policies.Profile)
		want       Status
	}{
		{"disk", "const {fd} = host('open', {path: 'f', flags: 'w'}); for (;;) host('pwrite', {fd}, new Uint8Array(65536))", nil, StatusDiskQuota},
		{"disk, coped with", "try { host('truncate', {fd: host('open', {path: 'f', flags: 'w'}).fd, size: 2e6}) } catch {}; throw new Error('later')", nil, StatusError},
		{"memory", "const a = []; for (;;) a.push(new Uint8Array(1e6))", nil, StatusOutOfMemory},
		{"memory, for ever refused", "const a = []; for (;;) try { a.push(new Uint8Array(1e6)) } catch {}", nil, StatusOutOfFuel},
		{"fuel", "for (;;);", nil, StatusOutOfFuel},
		{"fuel by calling the host", "for (;;) host('now')", nil, StatusOutOfFuel},
		{"fuel by hashing", "const a = new Uint8Array(2e7); for (;;) host('hash', {algorithm: 'sha512'}, a)", nil, StatusOutOfFuel},
		{"output", "for (;;) console.log('x'.repeat(1000))", func(p *policies.Profile) { p.OutputLimit = policies.OutputStop }, StatusOutputLimit},
		{"time asleep", "host('sleep', {ms: 1e12})", func(p *policies.Profile) { p.Timeout = policies.Duration(20 * time.Millisecond) }, StatusTimeout},
		{"time in a timer", "setTimeout(() => {}, 1e12)", func(p *policies.Profile) { p.Timeout = policies.Duration(20 * time.Millisecond) }, StatusTimeout},
		{"time of promises without end", "const f = () => Promise.resolve().then(f); f()", func(p *policies.Profile) {
			p.Fuel, p.Timeout = 1<<50, policies.Duration(20*time.Millisecond)
		}, StatusTimeout},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			profile := javaScriptProfile()
			if test.profile != nil {
				test.profile(profile)
			}
			r := run(t, h, p, profile, &Request{Code: []byte(test.code)}, nil)
			if r.Status != test.want {
				t.Errorf("status %s, want %s: %+v, stderr %s", r.Status, test.want, r.Error, cut(r.Stderr, 500))
			}
		})
	}
}

// repeatableScripts are programs that must do the same whenever they run.
var repeatableScripts = map[string]string{
	"hello":          "console.log('hi')",
	"an exception":   "function f(n) { return null.x }\nf(0)",
	"a syntax error": "let 1",
	"an exit":        "process.exit(3)",
	"recursion":      "function f(n) { return f(n + 1) + 1 }\nf(0)",
	"garbage":        "for (let i = 0; i < 30000; i++) { const a = {}; a.a = a }",
	"objects":        "const m = new Map(); for (let i = 0; i < 3000; i++) m.set({}, i); const s = new Set(m.keys()); console.log(s.size); console.log(Object.keys(Object.fromEntries(Array.from({length: 500}, (_, i) => ['k' + i, i]))).join())",
	"the time":       "for (let i = 0; i < 200; i++) host('now')",
	"symbols":        "console.log(Array.from({length: 500}, (_, i) => Symbol.for('s' + i)).length, new WeakMap([[{}, 1]]).has({}))",
	"text":           "console.log(JSON.stringify(Array.from({length: 300}, (_, i) => ({n: i / 7}))).length, 'the quick brown fox'.replace(/[aeiou]/g, (c) => c.toUpperCase()))",
	"numbers":        "console.log(String(3n ** 900n), Math.sin(1), [3, 1, 2].sort(), (0.1).toFixed(20))",
	"a sort":         "console.log(Array.from({length: 3000}, (_, i) => i * 7919 % 3001).sort((a, b) => a - b)[5])",
	"promises":       "(async () => { for (let i = 0; i < 300; i++) await i; console.log('done') })()",
	"a module":       "export const a = 1;\nconsole.log(await Promise.all([1, 2].map(async (n) => n)))",
	"out of memory":  "const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1))",
	"out of fuel":    "for (;;);",
	"files":          "for (let i = 0; i < 50; i++) host('close', host('open', {path: 'f' + i, flags: 'w'})); console.log(host('readdir', {path: '.'}).entries.length)",
}

func TestEveryRestoreOfJavaScriptGivesTheSameFuel(t *testing.T) {
	h, p := rawJavaScript(t)
	// Figures are rounded by nothing: equal means equal.
	repeat := func(name string) repeated {
		return newRepeated(run(t, h, p, resetProfile(), &Request{Code: []byte(repeatableScripts[name]), Args: []string{name}}, nil))
	}
	want := map[string]repeated{}
	for name := range repeatableScripts {
		want[name] = repeat(name)
	}
	t.Run("in memory that was used", func(t *testing.T) {
		for name := range repeatableScripts {
			if got := repeat(name); got != want[name] {
				t.Errorf("%s: got %+v, first %+v", name, got, want[name])
			}
		}
	})
	t.Run("in fresh memory", func(t *testing.T) {
		release := drain(t, p)
		defer release()
		for name := range repeatableScripts {
			if got := repeat(name); got != want[name] {
				t.Errorf("%s: got %+v, first %+v", name, got, want[name])
			}
		}
	})
	t.Run("all at once", func(t *testing.T) {
		var wg sync.WaitGroup
		for name := range repeatableScripts {
			wg.Go(func() {
				r, err := executeIn(t, h, p, &Request{Code: []byte(repeatableScripts[name]), Args: []string{name}})
				if err != nil || newRepeated(r) != want[name] {
					t.Errorf("%s: got %+v, %v, first %+v", name, r, err, want[name])
				}
			})
		}
		wg.Wait()
	})
}

func TestEveryInstanceOfJavaScriptHasItsOwnRandomness(t *testing.T) {
	h, p := rawJavaScript(t)
	seen := map[string]bool{}
	for range 50 {
		r := run(t, h, p, javaScriptProfile(), &Request{Code: []byte("console.log(Math.random(), host('random', {length: 8}).bytes.byteLength)")}, nil)
		if r.Status != StatusOK || seen[r.Stdout] {
			t.Fatalf("status %s, %q came before or is wrong", r.Status, r.Stdout)
		}
		seen[r.Stdout] = true
	}
}

func TestNothingOfAProgramIsInTheNext(t *testing.T) {
	h, p := rawJavaScript(t)
	spoil := "globalThis.left = 1; Object.prototype.left = 2; Array.prototype.map = null; JSON.stringify = () => 'x'; host('open', {path: 'left', flags: 'w'}); globalThis.console = null"
	look := "console.log(typeof left, typeof {}.left, [1].map((n) => n + 1), JSON.stringify({}), host('readdir', {path: '.'}).entries.length, host('open', {path: 'x', flags: 'w'}).fd)"
	for range 5 {
		run(t, h, p, javaScriptProfile(), &Request{Code: []byte(spoil)}, nil)
		r := run(t, h, p, javaScriptProfile(), &Request{Code: []byte(look)}, nil)
		if want := "undefined undefined [2] {} 0 3\n"; r.Stdout != want {
			t.Fatalf("got %q, %+v, want %q", r.Stdout, r.Error, want)
		}
	}
}

func TestGlueRefusesOtherModules(t *testing.T) {
	if err := addGlue(&wasm.Module{}); err == nil {
		t.Error("an empty module is not refused")
	}
	err := addGlue(&wasm.Module{Tables: make([]wasm.Table, 1)})
	if err == nil || !strings.Contains(err.Error(), "__stack_pointer") {
		t.Errorf("got %v, want the name of what is missing", err)
	}
}

func TestStateOfMathRandomIsFoundInOnePlaceOnly(t *testing.T) {
	d := &quickjs{}
	memory := make([]byte, 4096)
	memory[2048] = 1 // the state 1 gives the upper bits of the multiplier
	const multiplier = 0x2545F4914F6CDD1D
	told := fmt.Appendf(nil, `{"random":%.20g}`, float64(uint64(multiplier)>>12)/(1<<52))
	target, err := d.target(memory, told)
	if err != nil || len(target.Entropy) != 1 || target.Entropy[0].Start != 2048 || target.Entropy[0].Length != 8 {
		t.Errorf("got %+v, %v", target, err)
	}
	memory[1024] = 1
	if _, err := d.target(memory, told); err == nil {
		t.Error("two places are not refused")
	}
	if _, err := d.target(memory, []byte("{}")); err == nil {
		t.Error("a checkpoint that tells nothing is not refused")
	}
}

// FuzzJavaScriptOperations asks the host for anything, and looks for a failure of the
// host's own.
func FuzzJavaScriptOperations(f *testing.F) {
	for _, o := range jsOperations {
		f.Add(o.name, `{"path":"f","fd":3,"length":5,"flags":"w+","position":2,"size":9,"from":"f","to":"g"}`, uint16(10))
		f.Add(o.name, `{"fd":1,"text":"x","algorithm":"sha1","ms":1,"code":"let a: number = 1","filename":"x","kind":"module"}`, uint16(0))
	}
	h, p := rawJavaScript(f)
	const program = `
		const [name, text, size] = process.argv;
		host('open', {path: 'f', flags: 'w+'});
		host('report', {type: 'T', message: 'm', line: 1});
		let args;
		try { args = JSON.parse(text) } catch { args = text }
		for (let i = 0; i < 3; i++) try { host(name, args, new Uint8Array(Number(size)).fill(65)) } catch {}
	`
	profile := javaScriptProfile()
	profile.Fuel, profile.Timeout = 200_000_000, policies.Duration(100*time.Millisecond)
	f.Fuzz(func(t *testing.T, name, args string, size uint16) {
		if strings.ContainsRune(name+args, 0) {
			t.Skip("arguments hold no zero bytes")
		}
		c, err := h.newCall(p, profile, &Request{Code: []byte(program), Args: []string{name, args, fmt.Sprint(size)}, Stdin: strings.NewReader("in")})
		if err != nil {
			t.Fatal(err)
		}
		r := c.execute(t.Context(), func() {}, func() {})
		switch r.Status {
		case StatusOK, StatusError, StatusOutOfFuel, StatusOutOfMemory, StatusTimeout, StatusDiskQuota:
		default:
			t.Errorf("%s(%q, %d bytes): %s, %+v, %s", name, args, size, r.Status, r.Error, r.Stderr)
		}
	})
}

// relayed is a program as esbuild writes it, with the place of each of its pieces.
func relayed(pieces ...string) string {
	var code strings.Builder
	mappings := ""
	column, line := 0, 0
	for _, piece := range pieces {
		text, at, _ := strings.Cut(piece, "@")
		var n int
		_, _ = fmt.Sscan(at, &n)
		if mappings != "" {
			mappings += ","
		}
		mappings += encodeVLQ(code.Len()-column) + "A" + encodeVLQ(n-1-line) + "A"
		column, line = code.Len(), n-1
		code.WriteString(text)
	}
	return withMap(code.String(), mappings)
}

func encodeVLQ(n int) string {
	n <<= 1
	if n < 0 {
		n = -n | 1
	}
	text := ""
	for {
		digit := n & 31
		if n >>= 5; n > 0 {
			digit |= 32
		}
		text += base64Digits[digit : digit+1]
		if n == 0 {
			return text
		}
	}
}

func withMap(code, mappings string) string {
	text, err := json.Marshal(map[string]string{"mappings": mappings})
	if err != nil {
		panic(err)
	}
	return code + sourceMapStart + base64.StdEncoding.EncodeToString(text) + "\n"
}

func TestProgramsAreLaidOutAsTheyWere(t *testing.T) {
	tests := []struct{ name, output, want string }{
		{"statements", relayed("a();@1", "b();@3", "c();@4"), "a();\n\nb();\nc();\n"},
		{"two of a line", relayed("a();@2", "b();@2"), "\na();b();\n"},
		{"what returns its value", relayed("return@1", " a;@2", "b;@3"), "return a;\n\nb;\n"},
		{"an arrow", relayed("(a)@1", "=>@2", "a;@3", "b@4"), "(a)=>a;\n\n\nb\n"},
		{"arguments", relayed("f(@1", "a,@2", "b)@3", ".c()@4"), "f(\na,\nb)\n.c()\n"},
		{"back to an earlier line", relayed("a;@5", "b;@2", "c;@6"), "\n\n\n\na;b;\nc;\n"},
		{"an empty program", withMap("", ""), "\n"},
	}
	for _, test := range tests {
		got, err := relay(test.output)
		if err != nil || string(got) != test.want {
			t.Errorf("%s: got %q, %v, want %q", test.name, got, err, test.want)
		}
	}
	for _, output := range []string{"", "a()", "a()" + sourceMapStart + "!", withMap("a", "!"), withMap("a", "g"), withMap("abc", "EAAA,DAAA")} {
		if got, err := relay(output); err == nil {
			t.Errorf("%q: got %q", output, got)
		}
	}
}

// FuzzRelay looks for a map that changes more than line ends.
func FuzzRelay(f *testing.F) {
	f.Add("a();b();", "AAAA,IACA")
	f.Add("é😀{}\n(,)=>", "AAAA,CAAG;AACA,CAAC")
	f.Fuzz(func(t *testing.T, code, mappings string) {
		got, err := relay(withMap(code, strings.ToValidUTF8(mappings, "")))
		if err != nil {
			return
		}
		if want := strings.ReplaceAll(code, "\n", ""); strings.ReplaceAll(string(got), "\n", "") != want {
			t.Errorf("%q became %q", code, got)
		}
		if len(got) > maxRelaid+len(code)+1 {
			t.Errorf("%d bytes became %d", len(code), len(got))
		}
	})
}
