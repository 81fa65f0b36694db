package runtimes

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
)

// startRegistry serves a real registry on loopback and returns its address.
func startRegistry(t *testing.T, wrap func(http.Handler) http.Handler) string {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	server := httptest.NewServer(wrap(registry.New()))
	t.Cleanup(server.Close)
	return OCIPrefix + strings.TrimPrefix(server.URL, "http://") + "/team/python:3.13"
}

func asIs(h http.Handler) http.Handler { return h }

func TestPushAndPull(t *testing.T) {
	address := startRegistry(t, asIs)
	module := packed(t, testBuild())
	digest, err := Push(t.Context(), address, module)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Push(t.Context(), address, module); err != nil || again != digest {
		t.Errorf("pushed again it is %s, %v; it was %s", again, err, digest)
	}
	pinned := strings.TrimSuffix(address, ":3.13") + "@" + digest
	for _, from := range []string{address, pinned} {
		if got, err := Pull(t.Context(), from); err != nil || !bytes.Equal(got, module) {
			t.Errorf("%s: %d bytes, %v", from, len(got), err)
		}
	}
	_, err = Pull(t.Context(), strings.Replace(address, ":3.13", ":4", 1))
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "check the address") {
		t.Errorf("a tag that is not there: %v", err)
	}
	if _, err := Push(t.Context(), address, []byte(wasmHeader)); !errors.Is(err, ErrInvalid) {
		t.Errorf("a module of others: %v", err)
	}
}

func TestOCIAddresses(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	for _, address := range []string{"", "python", "oci:", "oci:python", "oci:registry.example/python", "oci:registry.example/Py thon:1"} {
		if _, err := Pull(t.Context(), address); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "write it like") {
			t.Errorf("%q: %v", address, err)
		}
	}
	for host, want := range map[string]bool{
		"localhost": true, "localhost:5000": true, "127.0.0.1:1": true, "[::1]:5000": true,
		"registry.example": false, "10.0.0.1:5000": false, "localhost.example": false,
	} {
		if loopback(host) != want {
			t.Errorf("%s: loopback is %t", host, !want)
		}
	}
}

// A registry may answer anything. Nothing of it may pass for the module.
func TestPullTrustsNoRegistry(t *testing.T) {
	const manifests, blobs = "/manifests/", "/blobs/"
	lie := func(part, body string) func(http.Handler) http.Handler {
		return func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet && strings.Contains(r.URL.Path, part) {
					w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
					_, _ = w.Write([]byte(body))
					return
				}
				h.ServeHTTP(w, r)
			})
		}
	}
	layer := func(media, size string) string {
		return `{"schemaVersion":2,"layers":[{"mediaType":"` + media + `","digest":"sha256:` + testRecipe + `","size":` + size + `}]}`
	}
	for name, wrap := range map[string]func(http.Handler) http.Handler{
		"another module":       lie(blobs, wasmHeader),
		"no manifest":          lie(manifests, "hello"),
		"a manifest of nobody": lie(manifests, "{}"),
		"a layer of text":      lie(manifests, layer("text/plain", "5")),
		"a layer too large":    lie(manifests, layer(ociModule, "9000000000")),
		"a negative layer":     lie(manifests, layer(ociModule, "-1")),
		"an endless manifest":  lie(manifests, strings.Repeat(" ", 2*ociManifest)),
	} {
		t.Run(name, func(t *testing.T) {
			address := startRegistry(t, wrap)
			if _, err := Push(t.Context(), address, packed(t, testBuild())); err != nil {
				t.Fatal(err)
			}
			module, err := Pull(t.Context(), address)
			if err == nil {
				t.Fatalf("pulled %q", module)
			}
			if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrDigest) && !errors.Is(err, ErrUnavailable) {
				t.Errorf("of no class: %v", err)
			}
		})
	}
}
