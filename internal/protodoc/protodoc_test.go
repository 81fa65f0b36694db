package protodoc

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/api.md")

const (
	protoPath = "../../plugins/rpc/proto/sandboxd/v1/sandboxd.proto"
	pagePath  = "../../docs/api.md"
	head      = `# The protocol

Made from [sandboxd.proto](../plugins/rpc/proto/sandboxd/v1/sandboxd.proto) by
` + "`just proto`" + `. Programs in Go use package ` + "`sdk`" + `: [go-plugin.md](go-plugin.md).
`
)

func TestThePageIsAsTheProtocolIs(t *testing.T) {
	proto, err := os.ReadFile(protoPath)
	if err != nil {
		t.Fatal(err)
	}
	text, err := Markdown(string(proto))
	if err != nil {
		t.Fatal(err)
	}
	want := head + text
	if *update {
		if err := os.WriteFile(pagePath, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(pagePath)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/api.md is not what sandboxd.proto says now: run just proto")
	}
}

func TestAMessageBecomesATable(t *testing.T) {
	got, err := Markdown(`// About.
syntax = "proto3";

// One thing.
message A {
  // A name,
  // at most.
  optional string name = 1;
  oneof part {
    map<string, bytes> files = 2;
  }

  // Inside.
  message B {}
}

// Says.
service S {
  // Does.
  rpc Do(A) returns (stream A);
}
`)
	want := `
About.

### message A

One thing.

| field | |
|---|---|
| ` + "`name`" + ` optional string | A name, at most. |
| ` + "`files`" + ` map<string, bytes> |  |

### message B

Inside.

## service S

Says.

**Do** ([A](#message-a)) returns (stream [A](#message-a))

Does.
`
	if err != nil || got != want {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestWhatIsNotUnderstoodIsAnError(t *testing.T) {
	for _, text := range []string{"}", "message A { string x = 1; }", "extend A {"} {
		if _, err := Markdown(text); err == nil || !strings.HasPrefix(err.Error(), "line 1: ") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
