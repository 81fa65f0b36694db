package host

import (
	"strings"
	"testing"

	"github.com/sandboxd/sandboxd/host/wasm"
)

func TestOnlyModulesOfRubyGetItsGlue(t *testing.T) {
	var m wasm.Module
	err := addRubyGlue(&m)
	if err == nil || !strings.Contains(err.Error(), "not a module of ruby.wasm") {
		t.Errorf("got %v", err)
	}
}

func TestRubysRequestKeepsWhatIsInIt(t *testing.T) {
	r := &Request{Filename: "a b.rb", Args: []string{"", "x\ny"}, Code: []byte("\x00\xff")}
	got := rubyRequest(r, map[string]string{"Z": "", "A": "1=2"})
	const head = "a b.rb\x002\x00\x00x\ny\x00A\x001=2\x00Z\x00\x00"
	if want := "\x00\x00\x00" + string(rune(len(head))) + head + "\x00\xff"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
