package host

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/sandboxd/sandboxd/host/fuelprofile"
	"github.com/sandboxd/sandboxd/host/guidance"
)

// rules are what is known of the failures of the plugin's language; nil if nothing is.
// Those of runtimes that do not come with sandboxd were checked when it was loaded.
func (p *plugin) rules() *guidance.Rules {
	if p.base != nil {
		return p.base.rules()
	}
	p.adviceOnce.Do(func() {
		rules, err := guidance.Load(p.definition.Files)
		if err != nil {
			p.log.Error("no guidance", "runtime", p.definition.Name, "error", err)
		}
		p.advice = rules
	})
	return p.advice
}

// advise fills in what to do about a failed call. said is the guest's own report.
func (c *call) advise(r *Result, said *GuestError, key string) {
	f := &guidance.Failure{
		Interface: c.request.Interface,
		Status:    string(r.Status),
		Line:      r.Error.Line,
		Code:      c.request.Code,
		Stderr:    r.Stderr,
		Profile:   c.profile,
		Fuel:      r.FuelConsumed,
		MoreFuel:  r.FuelAnalysis.RecommendedBudget,
		Causes:    r.FuelAnalysis.LikelyCauses,
		Key:       key,

		Profilable: profiles(c.plugin.definition.Driver) && !c.request.ProfileFuel,
	}
	if r.Status == StatusError {
		f.Type, f.Message = r.Error.Type, r.Error.Message
	} else if said != nil {
		f.Type, f.Message = said.Type, said.Message
	}
	if base, err := c.host.policy.Load().Profile(c.request.Profile); err == nil {
		f.Base, _ = tighten(base, c.plugin.definition.Limits)
	}
	if c.host.packages != nil {
		f.Packages = c.host.packages(c.plugin.definition.Name)
	}
	r.Error.Guidance, _ = guidance.Advise(f, c.plugin.rules())
}

// limitKey is the key of the limit that ended a call, or "".
func (c *call) limitKey(r *Result) string {
	switch r.Status {
	case StatusOutOfFuel:
		return "fuel"
	case StatusOutOfMemory:
		return "memory"
	case StatusTimeout:
		return "timeout"
	case StatusDiskQuota:
		return diskKey(c.in.refused, c.profile)
	case StatusOutputLimit:
		if r.StderrTruncated && !r.StdoutTruncated {
			return "stderr"
		}
		return "stdout"
	case StatusOK, StatusError, StatusCanceled, StatusInternal:
	}
	return ""
}

// causes are what much of a call's fuel may have gone to, in clauses, the dearest
// first. The program may be wrong about its imports: it is only searched for them.
func (c *call) causes(consumed uint64, profile *fuelprofile.Profile) []string {
	if profile != nil {
		return hottest(profile)
	}
	type cause struct {
		fuel uint64
		text string
	}
	var found []cause
	rest := consumed
	add := func(fuel uint64, text string) {
		if fuel >= consumed/10 && fuel > 0 {
			found = append(found, cause{fuel, text})
			rest -= min(rest, fuel)
		}
	}
	imports := c.plugin.rules().Imports(c.request.Code)
	for _, name := range slices.Sorted(maps.Keys(imports)) {
		add(imports[name], fmt.Sprintf("importing %q, which takes up to %s", name, rough(imports[name])))
	}
	served := c.in.fuel.served
	add(served, fmt.Sprintf("what the host did and copied for the program, such as output, files and requests: %s", rough(served)))
	if size := uint64(len(c.request.Code)); size > 64<<10 {
		// Compilers take some hundred instructions for each byte.
		add(size*500, fmt.Sprintf("compiling the program, which has %d KiB: put its data into a file", size>>10))
	}
	slices.SortStableFunc(found, func(a, b cause) int { return cmp.Compare(b.fuel, a.fuel) })
	if rest >= consumed/2 {
		found = append([]cause{{rest, "the program's own computing: its loops, its calls, and how much data they go through"}}, found...)
	}
	texts := []string{}
	for _, f := range found {
		texts = append(texts, f.text)
	}
	return texts
}

// hottest are the functions of a profile that used most, in clauses.
func hottest(p *fuelprofile.Profile) []string {
	const most = 3
	texts := []string{}
	for _, f := range p.Functions[:min(len(p.Functions), most)] {
		if f.Self < p.Total/10 {
			break
		}
		where := "the interpreter's own work, such as compiling the program"
		if f.Line > 0 {
			where = fmt.Sprintf("%q, from line %d of %q", cut(f.Name, 80), f.Line, cut(path.Base(f.File), 80))
		}
		texts = append(texts, fmt.Sprintf("%s: %s", where, rough(f.Self)))
	}
	return texts
}

// rough writes an amount of fuel for people.
func rough(n uint64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f milliard instructions", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%d million instructions", n/1e6)
	}
	return fmt.Sprintf("%d instructions", n)
}
