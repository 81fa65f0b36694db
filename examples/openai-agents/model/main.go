// Command model serves a scripted model on the loopback interface, prints the base URL
// that an OpenAI client takes, and ends when its standard input does.
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/sandboxd/sandboxd/internal/scriptedmodel"
)

func main() {
	if err := serve(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "model:", err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

func serve(args []string, stdin io.Reader, stdout io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("give one script, such as scripts/basic.json, not %d", len(args))
	}
	model, err := scriptedmodel.Load(args[0])
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{Handler: model, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		_ = server.Close()
	}()
	if _, err := fmt.Fprintf(stdout, "http://%s/v1\n", listener.Addr()); err != nil {
		return fmt.Errorf("print address: %w", err)
	}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	if left := model.Left(); left > 0 {
		return fmt.Errorf("the agent ended with %d steps of the script left", left)
	}
	return nil
}
