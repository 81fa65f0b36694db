package mcp

import (
	"bytes"
	"context"
	"encoding/base64"
	"path"
	"slices"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sandboxd/sandboxd/host"
)

// Bounds of the images that go with one answer: what they are is said in a result in
// any case, and read_file reads them.
const (
	maxImage  = 1 << 20 // bytes
	maxImages = 8
)

// drawnAs are the endings of files that may be images.
var drawnAs = []string{".png", ".jpg", ".jpeg", ".svg"}

// mayDraw reports whether a program may make a file that is an image, which it has to
// name.
func mayDraw(code string) bool {
	return slices.ContainsFunc(drawnAs, func(ending string) bool { return strings.Contains(code, ending) })
}

// imageOf is data as an image, or nil: what a guest calls an image is one only if it
// begins as one. An SVG may hold scripts and links: whoever shows it has to treat it as
// a stranger's.
func imageOf(data []byte) *sdk.ImageContent {
	mime := ""
	switch head := bytes.TrimLeft(data[:min(len(data), 1024)], " \t\r\n\uFEFF"); {
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		mime = "image/png"
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		mime = "image/jpeg"
	case bytes.HasPrefix(head, []byte("<svg")), bytes.HasPrefix(head, []byte("<?xml")) && bytes.Contains(head, []byte("<svg")):
		mime = "image/svg+xml"
	}
	if mime == "" || len(data) > maxImage {
		return nil
	}
	return &sdk.ImageContent{Data: data, MIMEType: mime}
}

// imagesOf reads the images that a program wrote.
func (c *client) imagesOf(ctx context.Context, id string, r *host.Result) []sdk.Content {
	var images []sdk.Content
	for _, f := range slices.Concat(r.FilesCreated, r.FilesModified) {
		if len(images) == maxImages {
			break
		}
		if f.Size == 0 || f.Size > maxImage || !slices.Contains(drawnAs, strings.ToLower(path.Ext(f.Path))) {
			continue
		}
		name, err := relative(f.Path)
		if err != nil {
			continue // it is in a mount
		}
		data, _, err := c.readAt(ctx, id, name, 0, maxImage)
		if err != nil {
			continue // it is not there any more, and the result says what there was
		}
		if image := imageOf(data); image != nil {
			image.Meta = sdk.Meta{"path": f.Path}
			images = append(images, image)
		}
	}
	return images
}

// shownImages are the images that a program showed with display().
func shownImages(r *host.Result) []sdk.Content {
	var images []sdk.Content
	for _, bundle := range r.Displays {
		for _, mime := range []string{"image/png", "image/jpeg", "image/svg+xml"} {
			text := bundle[mime]
			if text == "" || len(images) == maxImages {
				continue
			}
			data := []byte(text)
			if mime != "image/svg+xml" {
				var err error
				if data, err = base64.StdEncoding.DecodeString(text); err != nil {
					continue
				}
			}
			if image := imageOf(data); image != nil && image.MIMEType == mime {
				images = append(images, image)
				break
			}
		}
	}
	return images
}
