package mcp

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/jsonschema-go/jsonschema"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sandboxd/sandboxd/host/workspace"
	"github.com/sandboxd/sandboxd/plugins/service"
	"github.com/sandboxd/sandboxd/policies"
)

// How a file's content is put into JSON.
const (
	encodingText   = "utf-8"
	encodingBase64 = "base64"
)

// Bounds of what one call reads.
const (
	maxListed   = 1000      // entries
	defaultRead = 256 << 10 // bytes
	maxRead     = 4 << 20   // bytes
)

// relative is the name, in a workspace, of what a program calls by a path: relative, or
// below /app.
func relative(path string) (string, error) {
	name := strings.TrimPrefix(path, policies.WorkspacePath+"/")
	name = strings.TrimPrefix(name, "./")
	if strings.HasPrefix(name, "/") {
		return "", fmt.Errorf("%w: path %.256q: files of a session are below %s; use a path such as %s/data.csv", service.ErrInvalid, path, policies.WorkspacePath, policies.WorkspacePath)
	}
	return name, nil
}

// absolute is what a program calls an entry of a workspace.
func absolute(name string) string {
	return strings.ToValidUTF8(policies.WorkspacePath+"/"+name, "\uFFFD")
}

type listInput struct {
	SessionID string `json:"session_id" jsonschema:"the session"`
	Pattern   string `json:"pattern,omitempty" jsonschema:"list only what matches, such as *.csv or data/** or **/*.py"`
	After     string `json:"after,omitempty" jsonschema:"go on behind this path, the last one of an earlier list"`
	Limit     int    `json:"limit,omitempty" jsonschema:"the most entries to list; 200 if it is left out, 1000 at most"`
}

type entryInfo struct {
	Path       string `json:"path"`
	Kind       string `json:"kind" jsonschema:"file, directory, link or other"`
	Size       int64  `json:"size"`
	ModifiedAt string `json:"modified_at"`
}

type fileList struct {
	Files []entryInfo `json:"files"`
	// Next is what to go on behind; empty at the end.
	Next string `json:"next,omitempty" jsonschema:"there is more: call again with this as after"`
}

type readInput struct {
	SessionID string `json:"session_id" jsonschema:"the session"`
	Path      string `json:"path" jsonschema:"the file, such as out.csv or /app/out.csv"`
	Offset    int64  `json:"offset,omitempty" jsonschema:"begin at this byte"`
	Length    int64  `json:"length,omitempty" jsonschema:"the most bytes to read; 262144 if it is left out, 4194304 at most"`
	Encoding  string `json:"encoding,omitempty" jsonschema:"utf-8 or base64; left out, what suits the content"`
}

type fileContent struct {
	Path      string `json:"path"`
	Size      int64  `json:"size" jsonschema:"of the whole file, in bytes"`
	Offset    int64  `json:"offset"`
	Content   string `json:"content"`
	Encoding  string `json:"encoding"`
	Truncated bool   `json:"truncated" jsonschema:"there is more behind this"`
}

type writeInput struct {
	SessionID string `json:"session_id" jsonschema:"the session"`
	fileInput

	Append bool `json:"append,omitempty" jsonschema:"add to the file instead of replacing it"`
}

type written struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

type deleteInput struct {
	SessionID string `json:"session_id" jsonschema:"the session"`
	Path      string `json:"path" jsonschema:"the file or directory"`
	Recursive bool   `json:"recursive,omitempty" jsonschema:"delete a directory with all it holds"`
}

type deleted struct {
	Path string `json:"path"`
}

func (c *client) addFiles() {
	encodings := func(s *jsonschema.Schema) {
		c.tailored(s)
		s.Properties["encoding"].Enum = []any{encodingText, encodingBase64}
	}
	add(c, tool{
		name: "list_files", title: "List files of a session", effect: reads, tailor: c.tailored,
		text: lines("List the files and directories of a session's /app, with sizes, ordered by path.",
			"Examples: {\"session_id\": \"report\"}; {\"session_id\": \"report\", \"pattern\": \"**/*.csv\"}; {\"session_id\": \"report\", \"after\": \"data/z.csv\"}"),
	}, c.listFiles)
	add(c, tool{
		name: "read_file", title: "Read a file of a session", effect: reads, tailor: encodings,
		text: lines("Read a file of a session: text as it is, anything else as base64; PNG, JPEG and SVG are shown as images too.",
			"To work with large data, run a program on it with execute_code instead of reading it all.",
			"Examples: {\"session_id\": \"report\", \"path\": \"out.csv\"}; {\"session_id\": \"report\", \"path\": \"log.txt\", \"offset\": 262144}; {\"session_id\": \"report\", \"path\": \"plot.png\"}"),
	}, c.readFile)
	add(c, tool{
		name: "write_file", title: "Write a file of a session", effect: destroysTo, tailor: encodings,
		text: lines("Write a file into a session's /app, over what is there, or add to it. Directories on the way are made.",
			"Text goes in as it is; send anything else as base64.",
			"Examples: {\"session_id\": \"report\", \"path\": \"data.csv\", \"content\": \"a,b\\n1,2\\n\"}; {\"session_id\": \"report\", \"path\": \"log.txt\", \"content\": \"more\\n\", \"append\": true}; {\"session_id\": \"report\", \"path\": \"x.bin\", \"content\": \"AAEC\", \"encoding\": \"base64\"}"),
	}, c.writeFile)
	add(c, tool{
		name: "delete_file", title: "Delete a file of a session", effect: destroysTo, tailor: c.tailored,
		text: lines("Delete a file or an empty directory of a session, or with recursive a directory with all it holds.",
			"Examples: {\"session_id\": \"report\", \"path\": \"old.csv\"}; {\"session_id\": \"report\", \"path\": \"tmp\", \"recursive\": true}"),
	}, c.deleteFile)
}

func (c *client) listFiles(ctx context.Context, _ *sdk.CallToolRequest, in listInput) (reply[fileList], error) {
	if in.Limit <= 0 {
		in.Limit = 200
	}
	in.Limit = min(in.Limit, maxListed)
	list := fileList{Files: []entryInfo{}}
	text := []string{}
	after, err := relative(in.After)
	if err != nil {
		return reply[fileList]{}, err
	}
	err = c.view(ctx, in.SessionID, func(w *workspace.Workspace) error {
		for e, err := range w.List(ctx, workspace.ListOptions{Pattern: in.Pattern, After: after}) {
			if err != nil && e.Path == "" {
				return err
			}
			if len(list.Files) == in.Limit {
				list.Next = list.Files[in.Limit-1].Path
				text = append(text, fmt.Sprintf("[there is more: go on with after %q]", list.Next))
				return nil
			}
			list.Files = append(list.Files, entryInfo{absolute(e.Path), string(e.Kind), e.Size, e.Modified.UTC().Format(time.RFC3339)})
			text = append(text, fmt.Sprintf("%q %s, %d bytes", absolute(e.Path), e.Kind, e.Size))
		}
		return nil
	})
	if len(text) == 0 {
		text = []string{"There is nothing."}
	}
	return reply[fileList]{out: list, text: lines(text...)}, err
}

func (c *client) readFile(ctx context.Context, _ *sdk.CallToolRequest, in readInput) (reply[fileContent], error) {
	none := reply[fileContent]{}
	name, err := relative(in.Path)
	if err != nil {
		return none, err
	}
	if in.Offset < 0 || in.Length < 0 {
		return none, fmt.Errorf("%w: offset and length may not be negative", service.ErrInvalid)
	}
	if in.Length == 0 {
		in.Length = defaultRead
	}
	data, size, err := c.readAt(ctx, in.SessionID, name, in.Offset, min(in.Length, maxRead))
	if err != nil {
		return none, err
	}
	out := fileContent{Path: absolute(name), Size: size, Offset: in.Offset, Encoding: in.Encoding}
	if out.Encoding != encodingBase64 {
		whole := data
		if out.Encoding == "" && in.Offset+int64(len(data)) < size {
			whole = cutRune(data)
		}
		switch {
		case utf8.Valid(whole):
			data, out.Encoding = whole, encodingText
		case out.Encoding == "":
			out.Encoding = encodingBase64
		}
	}
	out.Truncated = in.Offset+int64(len(data)) < size
	r := reply[fileContent]{}
	if out.Encoding == encodingBase64 {
		out.Content = base64.StdEncoding.EncodeToString(data)
		r.text = fmt.Sprintf("%q, %d bytes, in base64:\n%s", out.Path, size, out.Content)
	} else {
		out.Content = strings.ToValidUTF8(string(data), "\uFFFD")
		r.text = out.Content
	}
	if image := imageOf(data); image != nil && in.Offset == 0 && !out.Truncated {
		r.more = append(r.more, image)
		if out.Encoding == encodingBase64 {
			r.text = fmt.Sprintf("%q, an image of %d bytes", out.Path, size)
		}
	}
	if out.Truncated {
		r.text += fmt.Sprintf("\n[cut: the file has %d bytes; go on with offset %d]", size, in.Offset+int64(len(data)))
	}
	r.out = out
	return r, nil
}

// cutRune drops what may be the beginning of a character from the end of a text.
func cutRune(data []byte) []byte {
	for back := 1; back < utf8.UTFMax && back <= len(data); back++ {
		if b := data[len(data)-back]; utf8.RuneStart(b) {
			if b >= utf8.RuneSelf && !utf8.FullRune(data[len(data)-back:]) {
				return data[:len(data)-back]
			}
			break
		}
	}
	return data
}

// readAt reads a part of a file, and tells how large it is.
func (c *client) readAt(ctx context.Context, id, name string, offset, length int64) (data []byte, size int64, err error) {
	err = c.view(ctx, id, func(w *workspace.Workspace) error {
		r, e, err := w.Read(name, offset, length)
		if err != nil {
			return err
		}
		defer func() { _ = r.Close() }()
		size = e.Size
		data, err = io.ReadAll(io.LimitReader(r, length))
		return err
	})
	return data, size, err
}

func (c *client) writeFile(ctx context.Context, _ *sdk.CallToolRequest, in writeInput) (reply[written], error) {
	none := reply[written]{}
	name, err := relative(in.Path)
	if err != nil {
		return none, err
	}
	data, err := in.bytes()
	if err != nil {
		return none, err
	}
	mode := workspace.Replace
	if in.Append {
		mode = workspace.Append
	}
	var e workspace.Entry
	err = c.service.Edit(ctx, c.caller, in.SessionID, func(w *workspace.Workspace) (err error) {
		e, err = w.Write(ctx, name, mode, bytes.NewReader(data))
		return err
	})
	if err != nil {
		return none, missing(err)
	}
	c.fileChanged(ctx, in.SessionID, name)
	out := written{absolute(name), e.Size, e.SHA256}
	return reply[written]{out: out, text: fmt.Sprintf("Wrote %q: %d bytes.", out.Path, out.Size)}, nil
}

func (c *client) deleteFile(ctx context.Context, _ *sdk.CallToolRequest, in deleteInput) (reply[deleted], error) {
	name, err := relative(in.Path)
	if err != nil {
		return reply[deleted]{}, err
	}
	if name == "." || name == "" || in.Path == policies.WorkspacePath {
		return reply[deleted]{}, fmt.Errorf("%w: %s itself cannot be deleted; reset_workspace empties it", service.ErrInvalid, policies.WorkspacePath)
	}
	err = c.service.Edit(ctx, c.caller, in.SessionID, func(w *workspace.Workspace) error {
		if in.Recursive {
			return w.RemoveAll(ctx, name)
		}
		return w.Remove(name)
	})
	if err != nil {
		return reply[deleted]{}, missing(err)
	}
	c.fileChanged(ctx, in.SessionID, name)
	return reply[deleted]{out: deleted{absolute(name)}, text: fmt.Sprintf("Deleted %q.", absolute(name))}, nil
}
