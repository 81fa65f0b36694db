package policies

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// FileName is the name of a policy file.
const FileName = "sandbox.toml"

// Find returns the policy file that applies: explicit when given, else
// sandbox.toml in workDir, else sandboxd/sandbox.toml in userConfigDir, else "":
// the built-in policy. An empty directory is not looked into. An explicit file
// that does not exist is [ErrNotFound]. A file that is there but cannot be
// reached is an error and not passed over, as the next one might allow more.
func Find(explicit, workDir, userConfigDir string) (string, error) {
	if explicit != "" {
		if _, err := os.Stat(explicit); errors.Is(err, fs.ErrNotExist) {
			return "", notFoundf("policy file %q does not exist", explicit)
		} else if err != nil {
			return "", fmt.Errorf("find policy: %w", err)
		}
		return explicit, nil
	}
	var candidates []string
	if workDir != "" {
		candidates = append(candidates, filepath.Join(workDir, FileName))
	}
	if userConfigDir != "" {
		candidates = append(candidates, filepath.Join(userConfigDir, "sandboxd", FileName))
	}
	for _, path := range candidates {
		_, err := os.Lstat(path) // a link to nowhere is there, too
		switch {
		case err == nil:
			return path, nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", fmt.Errorf("find policy: %w", err)
		}
	}
	return "", nil
}
