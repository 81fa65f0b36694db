package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// fakeRegistry names a directory with a directory for each package, named as it is: what
// the fake npm has. A file "member.json" in one adds strange members to its archive.
const fakeRegistry = "SANDBOXD_FAKE_REGISTRY"

// fakeNPM is an npm that needs no network: it resolves and packs what is in a directory.
func fakeNPM(args []string) error {
	end := slices.Index(args, "--")
	if end < 0 || !slices.Contains(args[:end], "--ignore-scripts") || !slices.Contains(args[:end], "--allow-git=none") {
		return fmt.Errorf("asked for %q", args)
	}
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	if found, err := os.ReadDir(here); err != nil || len(found) > 0 || !slices.Contains(args[:end], "--prefix="+here) {
		return fmt.Errorf("in %s, which holds %v, with %q", here, found, args)
	}
	switch args[0] {
	case "install":
		return fakeInstall(args[end+1])
	case "pack":
		for _, arg := range args[:end] {
			if to, ok := strings.CutPrefix(arg, "--pack-destination="); ok {
				return fakePack(to, args[end+1:])
			}
		}
	}
	return fmt.Errorf("asked for %q", args)
}

// fakeManifest is what the fake reads of a package.json.
type fakeManifest struct {
	Version      string            `json:"version"`
	Dependencies map[string]string `json:"dependencies"`
}

func fakePackage(name string) (m fakeManifest, archive []byte, err error) {
	dir := filepath.Join(os.Getenv(fakeRegistry), filepath.FromSlash(name))
	data, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil, errors.New("npm error code E404\nnpm error 404 Not Found")
	}
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err == nil {
		archive, err = fakeArchive(dir)
	}
	return m, archive, err
}

func fakeArchive(dir string) ([]byte, error) {
	var packed bytes.Buffer
	zipped := gzip.NewWriter(&packed)
	w := tar.NewWriter(zipped)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if name == "member.json" {
			var h tar.Header
			return errors.Join(json.Unmarshal(data, &h), w.WriteHeader(&h))
		}
		err = w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "package/" + filepath.ToSlash(name), Mode: 0o644, Size: int64(len(data))})
		_, writeErr := w.Write(data)
		return errors.Join(err, writeErr)
	})
	err = errors.Join(err, w.Close(), zipped.Close())
	return packed.Bytes(), err
}

// fakeInstall writes the lock file of a package and all that it needs.
func fakeInstall(spec string) error {
	at := strings.LastIndexByte(spec, '@')
	packages := map[string]any{"": map[string]any{}}
	for todo := []string{spec[:at]}; len(todo) > 0; todo = todo[1:] {
		name := todo[0]
		m, archive, err := fakePackage(name)
		if err != nil {
			return err
		}
		sum := sha512.Sum512(archive)
		packages["node_modules/"+name] = map[string]any{
			"version": m.Version, "integrity": "sha512-" + base64.StdEncoding.EncodeToString(sum[:]),
		}
		for needed := range m.Dependencies {
			if packages["node_modules/"+needed] == nil {
				todo = append(todo, needed)
			}
		}
	}
	if name := spec[:at]; name == "escaping" {
		packages["node_modules/../../escaped"] = packages["node_modules/"+name]
	}
	data, err := json.Marshal(map[string]any{"lockfileVersion": 3, "packages": packages})
	if err != nil {
		return err
	}
	return os.WriteFile("package-lock.json", data, 0o600)
}

// fakePack writes archives, under names as npm makes them.
func fakePack(to string, specs []string) error {
	for _, spec := range specs {
		at := strings.LastIndexByte(spec, '@')
		_, archive, err := fakePackage(spec[:at])
		if err != nil {
			return err
		}
		if spec[:at] == "changed" {
			archive = append(archive, 0)
		}
		name := strings.ReplaceAll(strings.TrimPrefix(spec[:at], "@"), "/", "-") + "-" + spec[at+1:] + ".tgz"
		if err := os.WriteFile(filepath.Join(to, name), archive, 0o600); err != nil {
			return err
		}
	}
	return nil
}
