package runtimes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/content/memory"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/retry"
)

// OCIPrefix begins the address of a module in a registry of the Open Container
// Initiative: oci:registry.example/team/python:3.13.
const OCIPrefix = "oci:"

const (
	ociModule   = "application/wasm"                    // the layer
	ociArtefact = "application/vnd.sandboxd.runtime.v1" // the manifest
	ociCreated  = "1970-01-01T00:00:00Z"                // so that one module has one manifest
	ociManifest = 1 << 20                               // bytes of a manifest that are read
	ociHint     = "write it like oci:registry.example/team/python:3.13"
	ociAction   = "check the address, and log in with your container tool if the registry asks for it"
	ociTitle    = "org.opencontainers.image.title"
	ociVersion  = "org.opencontainers.image.version"
	ociTime     = "org.opencontainers.image.created"
)

// Push puts a packed module into a registry under an address that begins with
// [OCIPrefix], and returns the digest of its manifest. What a user is logged in to
// with Docker or an equal tool is used. Failures of the registry are
// [ErrUnavailable]; a wrong address, or a module that is none, [ErrInvalid].
func Push(ctx context.Context, address string, module []byte) (digest string, err error) {
	b, err := ReadBuild(module)
	if err != nil {
		return "", err
	}
	repository, reference, err := openOCI(address)
	if err != nil {
		return "", err
	}
	staged := memory.New()
	layer, err := oras.PushBytes(ctx, staged, ociModule, module)
	if err != nil {
		return "", fmt.Errorf("push runtime: %w", err)
	}
	manifest, err := oras.PackManifest(ctx, staged, oras.PackManifestVersion1_1, ociArtefact, oras.PackManifestOptions{
		Layers: []ocispec.Descriptor{layer},
		ManifestAnnotations: map[string]string{
			ociTitle: b.Runtime, ociVersion: b.Version, ociTime: ociCreated,
		},
	})
	if err == nil {
		err = staged.Tag(ctx, manifest, reference)
	}
	if err != nil {
		return "", fmt.Errorf("push runtime: %w", err)
	}
	if _, err := oras.Copy(ctx, staged, reference, repository, reference, oras.DefaultCopyOptions); err != nil {
		return "", ociError("push", address, err)
	}
	return manifest.Digest.String(), nil
}

// Pull fetches a module that [Push] put there, or one under the digest of its
// manifest. The registry is not trusted with more than the choice of the module:
// every byte is checked against the manifest, whose size and that of the module
// are limited. Errors are those of Push.
func Pull(ctx context.Context, address string) ([]byte, error) {
	repository, reference, err := openOCI(address)
	if err != nil {
		return nil, err
	}
	o := oras.DefaultFetchBytesOptions
	o.MaxBytes = ociManifest
	_, text, err := oras.FetchBytes(ctx, repository, reference, o)
	if err != nil {
		return nil, ociError("pull", address, err)
	}
	var manifest ocispec.Manifest
	if err := json.Unmarshal(text, &manifest); err != nil {
		return nil, fmt.Errorf("pull %s: %w: its manifest: %w", address, ErrInvalid, err)
	}
	if len(manifest.Layers) != 1 || manifest.Layers[0].MediaType != ociModule {
		return nil, fmt.Errorf("pull %s: %w: it is not a runtime: a manifest with one layer of type %s is", address, ErrInvalid, ociModule)
	}
	if size := manifest.Layers[0].Size; size < 0 || size > maxModule {
		return nil, fmt.Errorf("pull %s: %w", address, tooLarge())
	}
	module, err := content.FetchAll(ctx, repository.Blobs(), manifest.Layers[0])
	if err != nil {
		return nil, ociError("pull", address, err)
	}
	return module, nil
}

// fromOCI fetches the module at an address. Its pin is d's as for every source.
func fromOCI(ctx context.Context, d *Definition, to reporter, put putFunc) error {
	to.send(Event{Stage: StageDownload, Unit: "bytes"})
	module, err := Pull(ctx, OCIPrefix+d.Source.OCI)
	if err != nil {
		return err
	}
	size := int64(len(module))
	return put(to.count(bytes.NewReader(module), StageDownload, size), size)
}

// openOCI returns the repository that an address names, and the tag or digest.
func openOCI(address string) (*remote.Repository, string, error) {
	name, ok := strings.CutPrefix(address, OCIPrefix)
	if !ok {
		return nil, "", fmt.Errorf("%w: %s does not begin with %s: %s", ErrInvalid, quote(address), OCIPrefix, ociHint)
	}
	repository, reference, err := splitOCI(name)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %s: %w: %s", ErrInvalid, quote(address), err, ociHint)
	}
	store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
	if err != nil {
		return nil, "", unavailable("read the logins of your container tool: %w", err)
	}
	repository.Client = &auth.Client{Client: retry.DefaultClient, Cache: auth.NewCache(), Credential: credentials.Credential(store)}
	// A registry on this machine has no certificate, as container tools have it.
	repository.PlainHTTP = loopback(repository.Reference.Host())
	return repository, reference, nil
}

var errNoTag = errors.New("it has no tag")

// splitOCI parses an address without its prefix.
func splitOCI(name string) (*remote.Repository, string, error) {
	repository, err := remote.NewRepository(name)
	if err != nil {
		return nil, "", err
	}
	if repository.Reference.Reference == "" {
		return nil, "", errNoTag
	}
	return repository, repository.Reference.Reference, nil
}

func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// ociError explains a failure of a registry.
func ociError(what, address string, err error) error {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, content.ErrMismatchedDigest), errors.Is(err, content.ErrInvalidDescriptorSize),
		errors.Is(err, content.ErrTrailingData):
		return fmt.Errorf("%s %s: %w: the registry sent something else than its manifest says: %w", what, address, ErrDigest, err)
	case errors.Is(err, errdef.ErrSizeExceedsLimit):
		return fmt.Errorf("%s %s: %w: %w", what, address, ErrInvalid, err)
	}
	return unavailable("%s %s: %w; %s", what, address, err, ociAction)
}
