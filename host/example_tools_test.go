package host_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
)

// A program lets guest code call a function of its own.
func ExampleHost_Execute_tools() {
	ctx := context.Background()
	cache := os.Getenv("SANDBOXD_CACHE_DIR")
	if cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			fmt.Println(err)
			return
		}
		cache = filepath.Join(dir, "sandboxd")
	}
	h, err := host.Open(ctx, host.Options{CacheDir: cache, Policy: policies.Builtin()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer h.Close() //nolint:errcheck // the example ends

	search := host.Tool{
		Name:        "search",
		Description: "Finds items by a word.",
		Schema: json.RawMessage(`{"type": "object", "properties": {"query": {"type": "string"}},
			"required": ["query"], "additionalProperties": false}`),
		Call: func(_ context.Context, args json.RawMessage) (json.RawMessage, error) {
			var in struct{ Query string }
			if err := json.Unmarshal(args, &in); err != nil {
				return nil, err
			}
			return json.Marshal([]string{in.Query + " shirt", in.Query + " sky"})
		},
	}
	result, err := h.Execute(ctx, host.Request{
		Language: "python",
		Code:     []byte("import tools\nfor word in 'blue', 'red':\n    print(tools.search(query=word)[0])\n"),
		Tools:    []host.Tool{search},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(result.Stdout)
	fmt.Println(len(result.Tools), "calls of", result.Tools[0].Name)
	// Output:
	// blue shirt
	// red shirt
	// 2 calls of search
}
