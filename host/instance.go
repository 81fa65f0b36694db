package host

import (
	"context"
	"fmt"

	extism "github.com/extism/go-sdk"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"

	"github.com/sandboxd/sandboxd/host/fuelprofile"
	"github.com/sandboxd/sandboxd/host/guestfs"
	"github.com/sandboxd/sandboxd/host/image"
	"github.com/sandboxd/sandboxd/host/meter"
	"github.com/sandboxd/sandboxd/host/network"
	"github.com/sandboxd/sandboxd/host/tool"
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
	shown  shown
	input  []byte // what an exchanger's entry function reads
	inside int    // how many entry functions run that have not returned
	// farewell is what the interpreter says of itself at the end of a call that
	// keeps its state.
	farewell farewell
	// network makes the guest's requests; nil when its profile grants none.
	network *network.Client
	// tools calls the request's tools; nil when it has none.
	tools *tool.Client
	// profile records where fuel goes; nil unless the request asks for that.
	profile *fuelprofile.Recorder
	// ctx is the call's, for what the guest waits for through files.
	ctx context.Context

	// ended is why the guest was stopped, the first cause recorded; nil while
	// it runs and when it simply returned.
	ended *ending
	// returned says that the guest has: nothing can end it any more.
	returned bool
	// seeded says that the first draw of randomness was made.
	seeded bool
	// refused is the file limit that last denied the guest something, or 0.
	refused guestfs.Limit
	// denial is the limit that denied the guest something since this was last set to
	// 0, of all of them; see denied.
	denial guestfs.Limit
	// image is what the instance is restored from; nil for a plain start.
	image *image.Image
	// resumed is what it goes on from, and nil where that is the image alone.
	resumed *image.State
	// ahead is by how much its monotonic clock is ahead of the host's.
	ahead int64
	// checkpoint is set while a runtime is warmed up.
	checkpoint *checkpoint
	// state belongs to the driver's own host functions; see driver.state. It is nil
	// during a warm-up.
	state any
}

// ending is how a guest ended when it did not simply return.
type ending struct {
	status   Status // a limit's, or StatusOK when the guest exited by itself
	exitCode int
	err      error // for StatusInternal
}

// left reports whether the entry function ran and returned.
func (in *instance) left() bool { return in.mod != nil && in.inside == 0 }

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
		switch name {
		case image.ExportStart, image.ExportWarmUp, image.ExportResume:
			return l
		}
	}
	return nil
}

// Before runs as the first thing of a call.
func (l listener) Before(ctx context.Context, mod api.Module, _ api.FunctionDefinition, _ []uint64, _ experimental.StackIterator) {
	in := instanceOf(ctx)
	in.inside++
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
		if err := in.image.Restore(mod, in.resumed); err != nil {
			in.end(ending{status: StatusInternal, err: err})
		}
	}
}

// After runs when a call has returned.
func (listener) After(ctx context.Context, _ api.Module, _ api.FunctionDefinition, _ []uint64) {
	instanceOf(ctx).inside--
}

// Abort does nothing.
func (listener) Abort(context.Context, api.Module, api.FunctionDefinition, error) {}
