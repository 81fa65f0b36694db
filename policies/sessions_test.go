package policies

import (
	"path/filepath"
	"testing"
	"time"
)

func TestServerSessions(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		name, text string
		want       ServerSessions
	}{
		{"nothing said", "", ServerSessions{}},
		{"a directory", `storage = "file:///srv/sessions/"`, ServerSessions{Dir: filepath.FromSlash("/srv/sessions")}},
		{
			"a bucket", "storage = \"s3://b?region=eu-west-1&endpoint=http%3A%2F%2F127.0.0.1%3A9000\"\nprefix = \"team/a/\"\ncache = \"work\"",
			ServerSessions{
				Bucket: "s3://b?region=eu-west-1&endpoint=http%3A%2F%2F127.0.0.1%3A9000", Prefix: "team/a/",
				Cache: filepath.Join(dir, "work"),
			},
		},
		{"a prefix without its slash", "storage = \"gs://b\"\nprefix = \"x\"", ServerSessions{Bucket: "gs://b", Prefix: "x/"}},
		{
			"pruning", `prune = { idle = "720h", age = "8760h", count = 100, bytes = "10GiB", every = "5m" }`,
			ServerSessions{Prune: Prune{
				Age: Duration(8760 * time.Hour), Idle: Duration(720 * time.Hour), Count: 100, Bytes: 10 << 30, Every: Duration(5 * time.Minute),
			}},
		},
		{"pruning every hour", `prune = { count = 5 }`, ServerSessions{Prune: Prune{Count: 5, Every: DefaultPruneEvery}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Parse(filepath.Join(dir, "sandbox.toml"), []byte("[server.sessions]\n"+tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Server().Sessions; got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}
