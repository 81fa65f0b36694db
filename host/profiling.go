package host

import (
	"fmt"
	"strings"

	"github.com/sandboxd/sandboxd/runtimes"
)

// profiles reports whether the runtimes of a driver can tell which functions of a
// program run. For the others, nobody could say where in the program fuel went.
func profiles(driver string) bool { return driver == runtimes.DriverCPython }

// checkProfiling refuses to profile programs of a runtime that cannot tell.
func (h *Host) checkProfiling(r *Request, d *runtimes.Definition) error {
	if !r.ProfileFuel || profiles(d.Driver) {
		return nil
	}
	var can []string
	for _, other := range h.registry.All() {
		if profiles(other.Driver) {
			can = append(can, other.Name)
		}
	}
	return fmt.Errorf("%w: runtime %q cannot tell where fuel goes; those that can are: %s", ErrInvalid, d.Name, strings.Join(can, ", "))
}
