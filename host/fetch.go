package host

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/sandboxd/sandboxd/host/guestfs"
	"github.com/sandboxd/sandboxd/host/network"
	"github.com/sandboxd/sandboxd/policies"
)

// fetchPath is the file through which a guest makes requests. It exists only where
// the profile grants network, in every language alike: nothing is linked to a
// module for it. See [network.Client] for what a hostile guest could try with it.
const fetchPath = guestfs.Reserved + "/fetch"

// NetworkRequest is a request that a guest made or was refused.
type NetworkRequest = network.Record

// connect gives a call the network that its profile grants, if any.
func (h *Host) connect(c *call, files map[string]guestfs.Virtual) error {
	grant := c.profile.Network
	if len(grant.Allow) == 0 {
		return nil
	}
	secrets := make([]string, len(grant.Headers))
	for i, header := range grant.Headers {
		var err error
		if secrets[i], err = h.secret(header); err != nil {
			return fmt.Errorf("profile %q: network.headers: %s: %w", c.profile.Name, header.Name, err)
		}
	}
	in := c.in
	in.network = network.New(network.Options{
		Grant: grant, Profile: c.profile.Name, Secrets: secrets, Charge: in.fuel.charge,
	})
	files[fetchPath] = guestfs.Virtual{Talk: func() io.ReadWriteCloser {
		return &conversation{ReadWriteCloser: in.network.Open(in.ctx), in: in, name: "fetch"}
	}}
	return nil
}

// secret reads the secret of a header from where the operator keeps it.
func (h *Host) secret(header policies.Header) (string, error) {
	from, value := "variable "+header.Env, ""
	if header.Env != "" {
		value = h.getenv(header.Env)
		if value == "" {
			return "", fmt.Errorf("%s is not set in sandboxd's own environment; set it, or use another profile", from)
		}
	} else {
		from = fmt.Sprintf("file %q", header.File)
		text, err := readSecret(header.File)
		if err != nil {
			return "", err
		}
		value = strings.TrimRight(text, "\r\n")
	}
	if err := network.CheckSecret(value); err != nil {
		return "", fmt.Errorf("%s %w", from, err)
	}
	return value, nil
}

// readSecret reads a file that the policy names.
func readSecret(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() { // a pipe or a device might never end
		return "", fmt.Errorf("%q is not a regular file", path)
	}
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // nothing was written
	const most = 16 << 10
	text, err := io.ReadAll(io.LimitReader(f, most))
	return string(text), err
}

// conversation is one with the host that ends the guest when its time is up.
type conversation struct {
	io.ReadWriteCloser

	in   *instance
	name string // of the file, for the log
}

// Read waits for the answer, but not beyond the end of the call.
func (c *conversation) Read(p []byte) (int, error) {
	defer c.in.contain(c.name)
	n, err := c.ReadWriteCloser.Read(p)
	c.in.checkDeadline(c.in.ctx)
	return n, err
}
