// Package outcome turns what the library tells of a call into what the corpus of hostile
// guests is checked against. It is apart from hostile, which tests inside of host use.
package outcome

import (
	"fmt"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/internal/hostile"
)

// Of is what the library tells of a call.
func Of(r *host.Result) hostile.Outcome {
	o := hostile.Outcome{
		Status: string(r.Status), ExitCode: r.ExitCode, Success: r.Success, Stdout: r.Stdout, Stderr: r.Stderr,
		Truncated:    r.StdoutTruncated || r.StderrTruncated,
		FuelConsumed: r.FuelConsumed, FuelBudget: r.FuelBudget,
	}
	for _, f := range r.FilesCreated {
		o.Created = append(o.Created, f.Path)
	}
	if r.Error != nil {
		o.Fault, o.Told = r.Error.Type, fmt.Sprint(r.Error)
	}
	return o
}
