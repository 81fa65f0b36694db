package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

// Run runs a program and returns how it went, its output included.
func (c *Client) Run(ctx context.Context, r Request) (*Result, error) {
	var stdout, stderr strings.Builder
	result, err := c.Stream(ctx, r, &stdout, &stderr)
	if err != nil {
		return nil, err
	}
	result.Stdout, result.Stderr = text(stdout.String(), result.StdoutTruncated), text(stderr.String(), result.StderrTruncated)
	return result, nil
}

// Stream runs a program, writes its output as it comes and returns how it went. The
// output is the program's bytes as they are. A nil writer discards. One goroutine at a
// time writes; a writer that blocks holds the program up, up to its deadline, and one
// that fails ends the call with its error.
func (c *Client) Stream(ctx context.Context, r Request, stdout, stderr io.Writer) (*Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // which ends the stream, wherever it is
	to, err := c.link.connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	m := r.message()
	if size := proto.Size(m); size > maxMessage {
		return nil, invalid("the request has %d bytes with all its files and input; at most %d are accepted, and Files.Write takes more", size, maxMessage)
	}
	if len(r.Tools) > 0 {
		return streamWithTools(ctx, to, m, r.Tools, stdout, stderr)
	}
	stream, err := to.Execute(ctx, m)
	if err != nil {
		return nil, to.explain(ctx, err)
	}
	for {
		m, err := stream.Recv()
		if err != nil {
			return nil, to.explain(ctx, noResult(err))
		}
		if m.GetResult() != nil {
			_, _ = stream.Recv() // lets the stream end in order
			return resultOf(m.GetResult()), nil
		}
		if err := write(m.GetOutput(), stdout, stderr); err != nil {
			return nil, err
		}
	}
}

// check refuses what could not be sent, or not be run.
func (r *Request) check() error {
	for name, texts := range map[string][]string{
		"Code": {r.Code}, "Filename": {r.Filename}, "Args": r.Args,
		"Env":   slices.AppendSeq(slices.Collect(maps.Keys(r.Env)), maps.Values(r.Env)),
		"Files": slices.Collect(maps.Keys(r.Files)),
	} {
		if slices.ContainsFunc(texts, func(s string) bool { return !utf8.ValidString(s) }) {
			return invalid("%s is not UTF-8", name)
		}
	}
	for _, t := range r.Tools {
		if t.Call == nil {
			return invalid("tool %q has no function to call", t.Name)
		}
	}
	return nil
}

// invalid is an error of the class [ErrInvalid].
func invalid(format string, args ...any) error {
	return &Error{Class: ErrInvalid, Message: fmt.Sprintf(format, args...)}
}

// noResult is what a stream that ends without a result means.
func noResult(err error) error {
	if errors.Is(err, io.EOF) {
		return &Error{Class: ErrInternal, Message: "the stream ended without a result"}
	}
	return err
}

// write passes output on.
func write(o *pb.Output, stdout, stderr io.Writer) error {
	to, name := stdout, "standard output"
	if o.GetStream() == pb.Stream_STREAM_STDERR {
		to, name = stderr, "standard error"
	}
	if to == nil || len(o.GetData()) == 0 {
		return nil
	}
	if _, err := to.Write(o.GetData()); err != nil {
		return fmt.Errorf("write the program's %s: %w", name, err)
	}
	return nil
}

// text is output as UTF-8, without half a character at a cut.
func text(s string, cut bool) string {
	if cut {
		s = trimPartialRune(s)
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
