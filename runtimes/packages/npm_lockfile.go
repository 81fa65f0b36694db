package packages

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// maxPackageLock bounds npm's lock file, in bytes.
const maxPackageLock = 8 << 20

// lockedPackage is what npm's lock file says of one package.
//
// See https://docs.npmjs.com/cli/configuring-npm/package-lock-json.
type lockedPackage struct {
	Name      string `json:"name"` // where it is not the end of its place
	Version   string `json:"version"`
	Integrity string `json:"integrity"`
	Link      bool   `json:"link"`
	Optional  bool   `json:"optional"`
	Peer      bool   `json:"peer"`
	Dev       bool   `json:"dev"`
	Scripts   bool   `json:"hasInstallScript"`
}

// readPackageLock reads what npm resolved for one package. What the registry says of
// names, versions and places goes into it, so all of that is checked: a place could lead
// out of the directory that packages are unpacked into. Packages that may be missing,
// which are native code most of the time, are left out.
func readPackageLock(name string, data []byte) (*NPMPackage, error) {
	var lock struct {
		Version  int                      `json:"lockfileVersion"`
		Packages map[string]lockedPackage `json:"packages"`
	}
	if err := json.Unmarshal(data, &lock); err != nil {
		return nil, fmt.Errorf("%w: npm's lock file: %w", ErrInvalid, err)
	}
	if lock.Version != 3 {
		return nil, fmt.Errorf("%w: npm's lock file has version %d, not 3: a newer npm may help", ErrUnavailable, lock.Version)
	}
	root := nodeModules + "/" + name
	p := &NPMPackage{Name: name, automatic: true}
	for at, l := range lock.Packages {
		switch {
		case at == "" || l.Optional || l.Dev:
			continue
		case l.Link:
			return nil, fmt.Errorf("%w: %s needs %q, which is not in the registry", ErrInvalid, name, at)
		case at == root && (l.Name == "" || l.Name == name):
			p.Version, p.Integrity = l.Version, l.Integrity
			if l.Scripts {
				return nil, refuseScripts(name, name)
			}
			continue
		}
		i := strings.LastIndex(at, nodeModules+"/")
		if i < 0 || !isPlace(at) {
			return nil, fmt.Errorf("%w: npm's lock file has a package at %q, which is no place of one", ErrInvalid, at)
		}
		d := NPMDependency{Name: at[i+len(nodeModules)+1:], Version: l.Version, Integrity: l.Integrity}
		if l.Name != "" {
			d.Name = l.Name
		}
		if at != d.place() {
			d.At = at
		}
		if l.Scripts {
			return nil, refuseScripts(name, d.Name)
		}
		p.Bundled = append(p.Bundled, d)
	}
	if p.Version == "" {
		return nil, fmt.Errorf("%w: npm's lock file does not have %s", ErrUnavailable, name)
	}
	slices.SortFunc(p.Bundled, func(a, b NPMDependency) int { return strings.Compare(a.place(), b.place()) })
	if wrong := p.wrong(); wrong != "" {
		return nil, fmt.Errorf("%w: %s %s", ErrInvalid, name, wrong)
	}
	return p, nil
}

// refuseScripts is the error for a package that runs code when it is installed.
func refuseScripts(name, needed string) error {
	why := "runs code of its own when it is installed, which is how native code is built, and nothing of a package runs on this machine"
	if needed != name {
		why = fmt.Sprintf("needs %s, which %s", needed, why)
	}
	return refuseNPM(name, why)
}
