package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sandboxd/sandboxd/host/wasm"
	"github.com/sandboxd/sandboxd/policies"
)

// arranger is a driver that can have what calls write to lie close together in its image:
// an instance has a copy of each page that it writes to. Only runtimes that come with
// sandboxd are arranged, whose modules are known.
type arranger interface {
	driver
	// programs are what an image is arranged for, the most important one first. They are
	// given no input.
	programs() []string
	// watch adds code to a module that is ready to be compiled, and returns the driver of
	// what came of it. Images of that must do for the module as it was.
	watch(m *wasm.Module) (watcher, error)
}

// watcher is the driver of a module that is watched: during a warm-up, while programs
// run from its image, and during another warm-up, which makes the image to be kept.
type watcher interface {
	driver
	// next says that another of the programs is about to run.
	next()
	// learn is given the memory of the first warm-up when the programs have run.
	learn(memory []byte) error
	// finish changes the memory of the second warm-up.
	finish(memory []byte) error
}

// errNotArranged means that a driver does not arrange its images.
var errNotArranged = errors.New("not to be arranged")

// arranged makes an arranged image in dir. What it leaves there when it fails is no image
// yet.
func (b *builder) arranged(ctx context.Context, dir string) (err error) {
	if b.watcher == nil {
		return errNotArranged
	}
	defer func() {
		if err != nil && ctx.Err() == nil {
			b.host.log.Warn("the image is not arranged", "runtime", b.definition.Name, "error", err)
		}
	}()
	w, err := openAppDir("", b.host.scratch.dir)
	if err != nil {
		return err
	}
	defer w.close()
	root, err := w.open()
	if err != nil {
		return err
	}
	work := root.Name()
	watched := *b
	watched.driver = b.watcher
	p, err := watched.compile(ctx, b.watched, work)
	if err != nil {
		return err
	}
	defer func() { _ = p.close() }()

	first := filepath.Join(work, imageDir)
	if err := os.Mkdir(first, 0o700); err != nil {
		return err
	}
	var memory []byte
	if err := watched.warmUp(ctx, p, first, func(m []byte) error { memory = bytes.Clone(m); return nil }); err != nil {
		return err
	}
	if err := p.openImage(first, b.key()); err != nil {
		return err
	}
	profile := testProfile()
	profile.Disk = policies.Disk{Quota: warmUpOutput, Files: 8, FileSize: warmUpOutput, Depth: 8, OpenFiles: 8}
	for _, code := range b.driver.(arranger).programs() {
		b.watcher.next()
		c, err := b.host.newCall(p, profile, &Request{Code: []byte(code)})
		if err != nil {
			return err
		}
		if r := c.execute(ctx, func() {}, func() {}); r.Status != StatusOK {
			return fmt.Errorf("a program that an image is arranged for: status %s, stderr %.500q", r.Status, r.Stderr)
		}
	}
	if err := b.watcher.learn(memory); err != nil {
		return err
	}
	return watched.warmUp(ctx, p, dir, b.watcher.finish)
}
