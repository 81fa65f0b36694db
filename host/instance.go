package host

import (
	"context"
	"fmt"

	extism "github.com/extism/go-sdk"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"

	"github.com/sandboxd/sandboxd/host/guestfs"
	"github.com/sandboxd/sandboxd/host/image"
	"github.com/sandboxd/sandboxd/host/meter"
)

// instance is one running copy of a plugin, as the host sees it. Everything in it
// belongs to the goroutine that runs the guest, until that has returned.
type instance struct {
	plugin *plugin
	guest  *extism.Plugin
	entry  string        // the export that guest is called through
	region *image.Region // the guest's linear memory
	kernel *image.Region // that of Extism's kernel

	mod    api.Module // known once the guest runs
	fuel   gauge
	files  guestfs.FS
	stdout output
	stderr output
	stdin  input
	report report

	// ended is why the guest was stopped, the first cause recorded; nil while
	// it runs and when it simply returned.
	ended *ending
	// seeded says that the first draw of randomness was made.
	seeded bool
	// refused is the file limit that last denied the guest something, or 0.
	refused guestfs.Limit
	// image is what the instance is restored from; nil for a plain start.
	image *image.Image
	// checkpoint is set while a runtime is warmed up.
	checkpoint *checkpoint
}

// ending is how a guest ended when it did not simply return.
type ending struct {
	status   Status // a limit's, or StatusOK when the guest exited by itself
	exitCode int
	err      error // for StatusInternal
}

// instanceKey finds the instance in the context of a host function's call.
type instanceKey struct{}

func instanceOf(ctx context.Context) *instance {
	in, ok := ctx.Value(instanceKey{}).(*instance)
	if !ok {
		panic("host function called outside an instance")
	}
	return in
}

// halt ends the guest because of a limit. It does not return.
func (in *instance) halt(status Status) {
	in.end(ending{status: status})
}

// end records why the guest ends, unless a reason is known already, and unwinds
// it. The value it panics with means nothing: only the record is read.
func (in *instance) end(e ending) {
	if in.ended == nil {
		in.ended = &e
	}
	panic(sys.NewExitError(1))
}

// listener learns the module of an instance when its entry function starts:
// Extism does not show it. It implements experimental.FunctionListenerFactory
// and experimental.FunctionListener.
type listener struct{}

// NewFunctionListener asks to be told about the entry functions only: listening
// costs, and nothing else is of interest.
func (l listener) NewFunctionListener(def api.FunctionDefinition) experimental.FunctionListener {
	for _, name := range def.ExportNames() {
		if name == image.ExportStart || name == image.ExportResume {
			return l
		}
	}
	return nil
}

// Before runs as the first thing of a call.
func (l listener) Before(ctx context.Context, mod api.Module, _ api.FunctionDefinition, _ []uint64, _ experimental.StackIterator) {
	in := instanceOf(ctx)
	if in.mod != nil {
		return // an entry function calling itself
	}
	in.mod = mod
	counter, ok := mod.ExportedGlobal(meter.FuelExport).(api.MutableGlobal)
	if !ok {
		in.end(ending{status: StatusInternal, err: fmt.Errorf("module exports no %s", meter.FuelExport)})
	}
	in.fuel.counter = counter
	if in.image != nil {
		if err := in.image.Restore(mod); err != nil {
			in.end(ending{status: StatusInternal, err: err})
		}
	}
}

// After does nothing.
func (listener) After(context.Context, api.Module, api.FunctionDefinition, []uint64) {}

// Abort does nothing.
func (listener) Abort(context.Context, api.Module, api.FunctionDefinition, error) {}
