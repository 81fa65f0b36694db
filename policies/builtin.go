package policies

import "time"

// DefaultProfile is the profile that applies when neither a file nor a request
// names one: the safe thing is the default thing.
const DefaultProfile = "strict"

// Builtin returns the policy that applies without a file: the profiles strict,
// relaxed and default, of which strict is the default one.
func Builtin() *Policy {
	return &Policy{fallback: DefaultProfile, profiles: builtins()}
}

// builtins returns the built-in profiles, each complete in itself: redefining
// one in a file changes no other.
func builtins() map[string]*resolved {
	profiles := []*Profile{
		{ // code that a model wrote and nobody read
			Name:    "strict",
			Fuel:    500_000_000,
			Memory:  32 << 20,
			Stdout:  100e3,
			Stderr:  100e3,
			Timeout: Duration(10 * time.Second),
			Disk:    Disk{Quota: 50 << 20, Files: 1000, Depth: 32, OpenFiles: 64},
		},
		{ // everyday programs
			Name:    "default",
			Fuel:    2_000_000_000,
			Memory:  128e6,
			Stdout:  2e6,
			Stderr:  1e6,
			Timeout: Duration(30 * time.Second),
			Disk:    Disk{Quota: 200 << 20, Files: 5000, Depth: 32, OpenFiles: 64},
		},
		{ // code that is mostly trusted
			Name:    "relaxed",
			Fuel:    5_000_000_000,
			Memory:  128 << 20,
			Stdout:  1e6,
			Stderr:  1e6,
			Timeout: Duration(60 * time.Second),
			Disk:    Disk{Quota: 500 << 20, Files: 10_000, Depth: 32, OpenFiles: 64},
		},
	}
	out := make(map[string]*resolved, len(profiles))
	for _, p := range profiles {
		p.Env = map[string]string{"LANG": "C.UTF-8"}
		p.OutputLimit = OutputTruncate
		p.Network = builtinNetwork()
		p.Tools = Tools{
			Calls: 100, MaxRequest: 1 << 20, MaxResponse: 4 << 20, Total: 64 << 20,
			Timeout: Duration(30 * time.Second),
		}
		p.Sessions.History = 1
		out[p.Name] = newResolved(p, "built-in "+p.Name)
	}
	return out
}
