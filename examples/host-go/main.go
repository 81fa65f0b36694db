// Command host-go is a program that has sandboxd as a plugin: it streams what a
// program prints, keeps a session, and offers two functions of its own.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/sandboxd/sandboxd/sdk"
)

func main() {
	binary := flag.String("sandboxd", "sandboxd", "the sandboxd to load")
	data := flag.String("data", "", "the directory of the sessions; default: sandboxd's own")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, sdk.WithBinary(*binary), sdk.WithDirectories("", *data))
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "host-go:", err)
		os.Exit(1) //nolint:forbidigo // it is main
	}
}

// run does all that the example shows.
func run(ctx context.Context, out io.Writer, options ...sdk.LaunchOption) (err error) {
	client, err := sdk.Launch(ctx, options...)
	if err != nil {
		return err
	}
	defer client.Close() //nolint:errcheck // it ends the plugin, and nothing is left to lose

	// Output comes as the program writes it.
	result, err := client.Stream(ctx, sdk.Request{
		Language: "python",
		Code:     "for n in range(3): print('line', n, flush=True)",
	}, out, out)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "%s under profile %s\n", result.Status, result.Profile); err != nil {
		return err
	}

	// A session keeps variables from one program to the next.
	session, err := client.CreateSession(ctx, sdk.SessionSpec{Language: "python", KeepState: true})
	if err != nil {
		return err
	}
	defer session.Destroy(ctx) //nolint:errcheck // of an example's session
	if _, err := session.Run(ctx, sdk.Request{
		Code:  "import csv\nrows = list(csv.DictReader(open('orders.csv')))",
		Files: map[string][]byte{"orders.csv": []byte("item,count\nlamp,2\nchair,4\n")},
	}); err != nil {
		return err
	}

	// Programs call functions of this program, many times in one go.
	result, err = session.Stream(ctx, sdk.Request{
		Tools: []sdk.Tool{price(), order(out)},
		Code: `
import tools
total = sum(tools.price(item=r['item']) * int(r['count']) for r in rows)
print('total', total)
if total < 1000:
    tools.order(items=[r['item'] for r in rows])
`,
	}, out, out)
	if err != nil {
		return err
	}
	if !result.Success {
		return fmt.Errorf("the program ended with %s: %s", result.Status, result.Error.Message)
	}
	_, err = fmt.Fprintf(out, "turn %d, %d calls of tools\n", result.Turn, len(result.Tools))
	return err
}

// price is a function that programs may call.
func price() sdk.Tool {
	prices := map[string]int{"lamp": 35, "chair": 120}
	return sdk.Tool{
		Name: "price", Description: "The price of one item, in whole euros.",
		Schema: json.RawMessage(`{"type": "object", "properties": {"item": {"type": "string"}},
			"required": ["item"], "additionalProperties": false}`),
		Call: func(_ context.Context, args json.RawMessage) (any, error) {
			var in struct{ Item string }
			if err := json.Unmarshal(args, &in); err != nil {
				return nil, err
			}
			euros, ok := prices[in.Item]
			if !ok {
				return nil, fmt.Errorf("there is no %q", in.Item)
			}
			return euros, nil
		},
	}
}

// order is another one.
func order(out io.Writer) sdk.Tool {
	return sdk.Tool{
		Name: "order", Description: "Orders items.",
		Schema: json.RawMessage(`{"type": "object", "properties": {"items": {"type": "array", "items": {"type": "string"}}},
			"required": ["items"], "additionalProperties": false}`),
		Call: func(_ context.Context, args json.RawMessage) (any, error) {
			var in struct{ Items []string }
			if err := json.Unmarshal(args, &in); err != nil {
				return nil, err
			}
			_, err := fmt.Fprintf(out, "ordered %q\n", in.Items)
			return nil, err
		},
	}
}
