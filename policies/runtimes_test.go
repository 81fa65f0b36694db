package policies

import (
	"slices"
	"testing"
)

func TestRuntimesHaveSettings(t *testing.T) {
	p, err := Parse("sandbox.toml", []byte("[runtimes.python]\n\npreload = [\"jinja2\", \"Dateutil.parser\"]\n[runtimes.ruby]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Runtimes(); !slices.Equal(got, []string{"python", "ruby"}) {
		t.Errorf("runtimes %q", got)
	}
	python := p.Runtime("python")
	if !slices.Equal(python.Preload, []string{"jinja2", "Dateutil.parser"}) || python.Origin != "sandbox.toml:3" {
		t.Errorf("python has %+v", python)
	}
	python.Preload[0] = "changed"
	if got := p.Runtime("python").Preload[0]; got != "jinja2" {
		t.Errorf("the policy was changed: %q", got)
	}
	if ruby, other := p.Runtime("ruby"), p.Runtime("javascript"); ruby.Origin != "sandbox.toml:4" || ruby.Preload != nil || other.Preload != nil {
		t.Errorf("others have %+v, %+v", ruby, other)
	}
	if r := Builtin().Runtime("python"); r.Preload != nil || len(Builtin().Runtimes()) != 0 {
		t.Errorf("the built-in policy has %+v", r)
	}
}
