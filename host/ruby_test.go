package host_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sandboxd/sandboxd/host"
)

// ruby is a program under the strict profile.
func ruby(t *testing.T, code string) host.Request {
	t.Helper()
	if testing.Short() {
		t.Skip("Ruby takes long to load")
	}
	return host.Request{Language: "ruby", Code: []byte(code), Filename: "main.rb"}
}

func TestRuby(t *testing.T) {
	h := shared(t)
	workspace := t.TempDir()
	for name, text := range map[string]string{
		"double.rb": "def double(n) = 2 * n\ndef fail_here = raise(IOError, 'deep')\n",
		"broken.rb": "x = (\n",
	} {
		if err := os.WriteFile(filepath.Join(workspace, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	failed := func(kind, message string, line int) *host.GuestError {
		return &host.GuestError{Type: kind, Message: message, Line: line, Guidance: []string{}}
	}
	exit := func(message string) *host.GuestError {
		return failed("exit", "the program ended with exit code "+message, 0)
	}
	tests := []struct {
		name, code     string
		exit           int
		stdout, stderr string // stderr is a part
		fault          *host.GuestError
		created        []string
	}{
		{name: "names", code: "puts __FILE__, $0, __dir__, __method__.inspect, self, __FILE__ == $0", stdout: "main.rb\nmain.rb\n/app\nnil\nmain\ntrue\n"},
		{name: "arguments, environment and input", code: "p ARGV, ENV.to_h.sort, $stdin.gets, $stdin.read, Dir.pwd, Encoding.default_external", stdout: "[\"a\", \"é\"]\n[[\"COLOUR\", \"blue\"], [\"LANG\", \"C.UTF-8\"]]\n\"input\\n\"\n\"more\\n\"\n\"/app\"\n#<Encoding:UTF-8>\n"},
		{name: "arguments are files to gets", code: "begin\n  ARGV.replace(['double.rb'])\n  puts gets\nend", stdout: "def double(n) = 2 * n\n"},
		{name: "the library", code: "require 'json'; require 'set'; require 'csv'; require 'time'; require 'digest'\nputs JSON.generate(CSV.parse(\"a,b\\n1,2\", headers: true).map(&:to_h)), Digest::SHA256.hexdigest('')[0, 8], Time.at(0).utc.iso8601", stdout: "[{\"a\":\"1\",\"b\":\"2\"}]\ne3b0c442\n1970-01-01T00:00:00Z\n"},
		{name: "a library that was not loaded yet", code: "require 'matrix'; require 'minitest'\nputs Matrix[[1, 2], [3, 4]].det", stdout: "-2\n"},
		{name: "a file of the workspace", code: "require_relative 'double'\nputs double(21)", stdout: "42\n"},
		{name: "fibers and enumerators", code: "f = Fiber.new { Fiber.yield 1; 2 }\ne = [3, 4].each\nputs f.resume, f.resume, e.next, e.next, catch(:x) { throw :x, 5 }", stdout: "1\n2\n3\n4\n5\n"},
		{name: "data after the end", code: "puts DATA.read, DATA.class\n__END__\nfirst\n__END__\n", stdout: "first\n__END__\nStringIO\n"},
		{name: "files", code: "File.write('a', 'text')\nDir.mkdir('d')\nFile.rename('a', 'd/b')\nputs Dir.glob('**/*').sort.inspect, File.read('/app/d/b')", stdout: "[\"broken.rb\", \"d\", \"d/b\", \"double.rb\"]\ntext\n", created: []string{"/app/d/b"}},
		{name: "what is to be done at exit", code: "at_exit { puts 'second'; exit 4 }\nat_exit { puts 'first', $!.inspect }\nputs 'program'", stdout: "program\nfirst\nnil\nsecond\n", exit: 4, fault: exit("4")},
		{name: "at exit, after an error", code: "at_exit { puts $!.message }\nraise 'lost'", stdout: "lost\n", exit: 1, fault: failed("RuntimeError", "lost", 2), stderr: "main.rb:2:in '<main>': lost (RuntimeError)\n"},
		{name: "a message at exit", code: "abort 'no good'", exit: 1, fault: exit("1"), stderr: "no good\n"},
		{name: "an exit in a method that rescues errors", code: "begin\n  exit 5\nrescue => e\n  puts e\nensure\n  puts 'ensured'\nend", stdout: "ensured\n", exit: 5, fault: exit("5")},
		{name: "an exit at once", code: "at_exit { puts 'no' }\nexit! 6", exit: 6, fault: exit("6")},
		{name: "a success", code: "puts 1\nexit\nputs 2", stdout: "1\n"},
		{name: "an error with a cause", code: "begin\n  Integer('x')\nrescue ArgumentError\n  raise 'worse'\nend", exit: 1, fault: failed("RuntimeError", "worse", 4), stderr: "main.rb:2:in 'Kernel#Integer': invalid value for Integer(): \"x\" (ArgumentError)"},
		{name: "an error in a file that was loaded", code: "require_relative 'double'\n\nfail_here", exit: 1, fault: failed("IOError", "deep", 3), stderr: "/app/double.rb:2:in "},
		{name: "an error of the program's own class", code: "class Odd < StandardError\n  def message = \"\\xff odd\"\nend\nraise Odd", exit: 1, fault: failed("Odd", "\uFFFD odd", 4)},
		{name: "a misspelled name", code: "\nputt 1", exit: 1, fault: failed("NoMethodError", "undefined method 'putt' for main", 2), stderr: "Did you mean?"},
		{name: "broken syntax", code: "x = 1\ndef f(\n", exit: 1, fault: failed("SyntaxError", "", 2), stderr: "main.rb:2: "},
		{name: "a broken file", code: "\nrequire_relative 'broken'", exit: 1, fault: failed("SyntaxError", "", 2), stderr: "broken.rb:1"},
		{name: "recursion without end", code: "def f(n) = f(n + 1)\nf(0)", exit: 1, fault: failed("SystemStackError", "stack level too deep", 1)},
		{name: "threads", code: "begin\n  Thread.new {}\nrescue NotImplementedError => e\n  puts e.class\nend", stdout: "NotImplementedError\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := ruby(t, tt.code)
			r.Args, r.Env, r.Stdin, r.Workspace = []string{"a", "é"}, map[string]string{"COLOUR": "blue"}, strings.NewReader("input\nmore\n"), workspace
			got := execute(t, h, r)
			status := host.StatusOK
			if tt.exit != 0 {
				status = host.StatusError
			}
			checkStatus(t, got, status, tt.exit)
			if tt.fault != nil && got.Error != nil && tt.fault.Message == "" {
				tt.fault.Message = got.Error.Message // Ruby's parser draws pictures
			}
			if diff := cmp.Diff(tt.fault, unadvised(t, got.Error)); diff != "" || got.Stdout != tt.stdout || !strings.Contains(got.Stderr, tt.stderr) {
				t.Errorf("stdout %q, stderr %q, error %s", got.Stdout, got.Stderr, diff)
			}
			if strings.Contains(got.Stderr, "sandboxd") {
				t.Errorf("stderr shows what is not the program's: %q", got.Stderr)
			}
			if created := paths(got.FilesCreated); !slices.Equal(created, tt.created) {
				t.Errorf("created %q, want %q", created, tt.created)
			}
		})
	}
}

func TestRubyStartsFromASnapshot(t *testing.T) {
	h := shared(t)
	want := execute(t, h, ruby(t, "puts 'hi'"))
	// Starting Ruby takes 500 million; loading the library as much again.
	if want.FuelConsumed > 2_000_000 {
		t.Errorf("a greeting took %d", want.FuelConsumed)
	}
	if want.MemoryBytes > 12<<20 {
		t.Errorf("a greeting had %d bytes", want.MemoryBytes)
	}
	code := "require 'json'\nh = Hash.new { |k, v| k[v] = v.to_s * 3 }\n20_000.times { |i| h[i] }\nGC.start\nputs JSON.generate(h).size, h.keys.sample.class, 'x'.hash == 'x'.hash"
	want = execute(t, h, ruby(t, code))
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 10 {
				got, err := h.Execute(t.Context(), ruby(t, code))
				if err != nil || got.Status != host.StatusOK || got.Stdout != want.Stdout || got.MemoryBytes != want.MemoryBytes {
					t.Errorf("%v, %+v, before %+v", err, got, want)
				}
			}
		})
	}
	wg.Wait()
}

// TestRubysGeneratorsAreSeededInEveryCall draws from each of them in a few calls.
func TestRubysGeneratorsAreSeededInEveryCall(t *testing.T) {
	h := shared(t)
	seen := map[string]bool{}
	for range 4 {
		got := execute(t, h, ruby(t, "require 'securerandom'\nputs rand(1 << 60), Random.new.rand(1 << 60), Random.rand, Random.seed, SecureRandom.uuid, (0...30).to_a.shuffle.join('-')"))
		checkStatus(t, got, host.StatusOK, 0)
		for line := range strings.FieldsSeq(got.Stdout) {
			if seen[line] {
				t.Errorf("%q was drawn twice", line)
			}
			seen[line] = true
		}
	}
}

// TestRubyWithoutMemoryIsOutOfIt goes through the ways in which Ruby runs out: with an
// exception, and with the interpreter's own end where it has none left to raise.
func TestRubyWithoutMemoryIsOutOfIt(t *testing.T) {
	h := shared(t)
	for name, code := range map[string]string{
		"a text that doubles": "s = 'x'\nloop { s *= 2 }",
		"small objects":       "a = []\nloop { a << [a.size.to_s] }",
		"large objects":       "a = []\nloop { a << 'x' * 1_000_000 }",
		"one large object":    "x = 'x' * 1_000_000_000",
	} {
		t.Run(name, func(t *testing.T) {
			r := ruby(t, code)
			r.Profile, r.Overrides = "free", memory(32<<20)
			got := execute(t, h, r)
			checkStatus(t, got, host.StatusOutOfMemory, 137)
			if got.MemoryBytes > 32<<20 {
				t.Errorf("it had %d bytes", got.MemoryBytes)
			}
		})
	}
	for name, code := range map[string]string{
		"and fails of something else": "begin; 'x' * 1_000_000_000; rescue NoMemoryError; end\nraise 'else'",
		"and exits":                   "begin; 'x' * 1_000_000_000; rescue NoMemoryError; end\nexit 3",
	} {
		t.Run("a program that copes "+name, func(t *testing.T) {
			r := ruby(t, code)
			r.Profile, r.Overrides = "free", memory(32<<20)
			if got := execute(t, h, r); got.Status != host.StatusError || got.Error.Type == "out_of_memory" {
				t.Errorf("got %+v, error %+v", got, got.Error)
			}
		})
	}
	r := ruby(t, "puts 1")
	r.Profile, r.Overrides = "free", memory(4<<30) // there is no room for more
	checkStatus(t, execute(t, h, r), host.StatusOK, 0)
}
