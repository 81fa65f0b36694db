package sdk_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/sandboxd/sandboxd/sdk"
)

func Example() {
	ctx := context.Background()
	client, err := sdk.Launch(ctx, sdk.WithBinary(binary)) // by default, sandboxd on PATH
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	result, err := client.Run(ctx, sdk.Request{Language: "python", Code: "print(6 * 7)"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(result.Status, ": ", result.Stdout)
	// Output: ok: 42
}

func ExampleClient_Stream() {
	ctx := context.Background()
	client, err := sdk.Launch(ctx, sdk.WithBinary(binary))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	translate := sdk.Tool{
		Name:   "translate",
		Schema: json.RawMessage(`{"type": "object", "properties": {"word": {"enum": ["one", "two"]}}, "required": ["word"]}`),
		Call: func(_ context.Context, args json.RawMessage) (any, error) {
			var in struct{ Word string }
			err := json.Unmarshal(args, &in)
			return map[string]string{"one": "uno", "two": "due"}[in.Word], err
		},
	}
	_, err = client.Stream(ctx, sdk.Request{
		Language: "python",
		Code:     "import tools\nfor word in 'one', 'two': print(tools.translate(word=word))",
		Tools:    []sdk.Tool{translate},
	}, os.Stdout, os.Stderr)
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// uno
	// due
}
