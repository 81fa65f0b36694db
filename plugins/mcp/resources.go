package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/workspace"
	"github.com/sandboxd/sandboxd/plugins/service"
)

// The addresses of resources.
const (
	sessionsURI  = "sandboxd://sessions"
	filePrefix   = "sandboxd://session/"
	fileTemplate = filePrefix + "{session_id}/files/{+path}"
)

// Bounds of resources: what is listed, of how many sessions, and what one connection
// may subscribe to.
const (
	maxResources     = 1000
	maxSessions      = 50
	maxSubscriptions = 256
)

// fileURI is the address of a session's file.
func fileURI(session, name string) string {
	return filePrefix + url.PathEscape(session) + "/files/" + (&url.URL{Path: name}).EscapedPath()
}

// parseFileURI is the reverse of fileURI. What is addressed need not be there.
func parseFileURI(uri string) (session, name string, ok bool) {
	rest, ok := strings.CutPrefix(uri, filePrefix)
	if !ok {
		return "", "", false
	}
	session, name, ok = strings.Cut(rest, "/files/")
	if !ok || session == "" || name == "" {
		return "", "", false
	}
	session, err := url.PathUnescape(session)
	if err != nil {
		return "", "", false
	}
	name, err = url.PathUnescape(name)
	return session, name, err == nil
}

// addResources serves the files of sessions as resources. They come and go with what
// programs do, so a list is made when it is asked for.
func (c *client) addResources() {
	c.mcp.AddResource(sessionsResource(), c.readSessions)
	c.mcp.AddResourceTemplate(&sdk.ResourceTemplate{
		Name: "session-file", Title: "File of a session", URITemplate: fileTemplate,
		Description: "A file below /app of one of your sessions. Programs change them: subscribe to be told.",
	}, c.readResource)
	c.mcp.AddReceivingMiddleware(func(next sdk.MethodHandler) sdk.MethodHandler {
		return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
			if method == "resources/list" {
				return c.listResources(ctx)
			}
			return next(ctx, method, req)
		}
	})
}

func sessionsResource() *sdk.Resource {
	return &sdk.Resource{
		Name: "sessions", Title: "Your sessions", URI: sessionsURI, MIMEType: "application/json",
		Description: "Your sessions, the one used last first.",
	}
}

// listChanged tells connections that there may be other resources than before.
func (c *client) listChanged() { c.mcp.AddResource(sessionsResource(), c.readSessions) }

// changed tells connections which files of a session a program changed.
func (c *client) changed(ctx context.Context, session string, r *host.Result) {
	paths := []string{}
	for _, f := range slices.Concat(r.FilesCreated, r.FilesModified) {
		paths = append(paths, f.Path)
	}
	for _, f := range r.FilesDeleted {
		paths = append(paths, f.Path)
	}
	for _, p := range paths {
		if name, err := relative(p); err == nil {
			c.updated(ctx, fileURI(session, name))
		}
	}
	if len(r.FilesCreated)+len(r.FilesDeleted) > 0 {
		c.listChanged()
	}
}

// fileChanged is changed for one file.
func (c *client) fileChanged(ctx context.Context, session, name string) {
	c.updated(ctx, fileURI(session, name))
	c.listChanged()
}

// updated tells those who subscribed to a resource that it is another one now.
func (c *client) updated(ctx context.Context, uri string) {
	if err := c.mcp.ResourceUpdated(ctx, &sdk.ResourceUpdatedNotificationParams{URI: uri}); err != nil {
		c.log.Debug("tell of a resource", "error", err)
	}
}

func (c *client) subscribe(ctx context.Context, req *sdk.SubscribeRequest) error {
	uri := req.Params.URI
	if uri != sessionsURI {
		session, _, ok := parseFileURI(uri)
		if !ok {
			return sdk.ResourceNotFoundError(uri)
		}
		if _, err := c.service.Session(ctx, c.caller, session); err != nil {
			return sdk.ResourceNotFoundError(uri)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	held, known := c.subscriptions[req.Session]
	if held >= maxSubscriptions {
		return fmt.Errorf("%d subscriptions are as many as one connection may have; unsubscribe from some", maxSubscriptions)
	}
	if !known {
		go func() {
			_ = req.Session.Wait() // however it ended
			c.mu.Lock()
			defer c.mu.Unlock()
			delete(c.subscriptions, req.Session)
		}()
	}
	c.subscriptions[req.Session] = held + 1
	return nil
}

func (c *client) unsubscribe(_ context.Context, req *sdk.UnsubscribeRequest) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.subscriptions[req.Session] > 0 {
		c.subscriptions[req.Session]--
	}
	return nil
}

// listResources lists the files of the sessions used last.
func (c *client) listResources(ctx context.Context) (*sdk.ListResourcesResult, error) {
	result := &sdk.ListResourcesResult{Resources: []*sdk.Resource{sessionsResource()}}
	result.Cacheable = private
	sessions, err := c.service.Sessions(ctx, c.caller)
	if err != nil {
		return nil, c.told("resources/list", err)
	}
	for _, n := range sessions[:min(len(sessions), maxSessions)] {
		if n.Damaged != "" {
			continue
		}
		// One that cannot be looked at, as it went away meanwhile, has nothing to list.
		_ = c.view(ctx, n.ID, func(w *workspace.Workspace) error {
			for e, err := range w.List(ctx, workspace.ListOptions{}) {
				if len(result.Resources) >= maxResources {
					return nil
				}
				if err != nil || e.Kind != workspace.KindFile || !utf8.ValidString(e.Path) {
					continue
				}
				result.Resources = append(result.Resources, &sdk.Resource{
					Name: e.Path, URI: fileURI(n.ID, e.Path), MIMEType: typeOf(e.Path), Size: e.Size,
					Description: fmt.Sprintf("%s of session %s", absolute(e.Path), n.ID),
				})
			}
			return nil
		})
	}
	return result, nil
}

// private says that what a client is told is for it alone, and may be another thing
// the next time.
var private = sdk.Cacheable{CacheScope: "private"}

// typeOf guesses a file's type by its name.
func typeOf(name string) string { return mime.TypeByExtension(path.Ext(name)) }

func (c *client) readSessions(ctx context.Context, _ *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
	r, err := c.listSessions(ctx, nil, empty{})
	if err != nil {
		return nil, c.told("resources/read", err)
	}
	text, err := json.Marshal(r.out)
	if err != nil {
		return nil, err
	}
	return &sdk.ReadResourceResult{Cacheable: private, Contents: []*sdk.ResourceContents{
		{URI: sessionsURI, MIMEType: "application/json", Text: string(text)},
	}}, nil
}

// readResource reads a session's file, of at most maxRead bytes. A resource has no
// parts, so read_file is for what is larger.
func (c *client) readResource(ctx context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
	session, name, ok := parseFileURI(req.Params.URI)
	if !ok {
		return nil, sdk.ResourceNotFoundError(req.Params.URI)
	}
	data, size, err := c.readAt(ctx, session, name, 0, maxRead)
	if err != nil {
		if service.KindOf(err) == service.NotFound || service.KindOf(err) == service.Invalid {
			return nil, sdk.ResourceNotFoundError(req.Params.URI)
		}
		return nil, c.told("resources/read", err)
	}
	if size > maxRead {
		return nil, fmt.Errorf("the file has %d bytes, and a resource at most %d; read parts of it with read_file", size, maxRead)
	}
	content := &sdk.ResourceContents{URI: req.Params.URI, MIMEType: typeOf(name)}
	if utf8.Valid(data) {
		content.Text = string(data)
	} else {
		content.Blob = data
	}
	return &sdk.ReadResourceResult{Cacheable: private, Contents: []*sdk.ResourceContents{content}}, nil
}
