package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// reload reads the policy again, and the certificate. What is wrong changes nothing.
func (d *daemon) reload() {
	err := d.reloadPolicy()
	d.metrics.Reloaded(err)
	if err != nil {
		d.log.Error("reload refused: the policy stays as it was", "error", err)
	}
	if c := d.listeners.certificate; c != nil {
		if err := c.load(); err != nil {
			d.log.Error("reload refused: the certificate stays as it was", "error", err)
		}
	}
}

func (d *daemon) reloadPolicy() error {
	path := d.began.Path()
	if path == "" {
		return errors.New("there is no policy file; one that was made since needs a restart")
	}
	policy, err := policies.Load(path)
	if err != nil {
		return err
	}
	if err := d.reachable(policy); err != nil {
		return err
	}
	before, now := d.began.Server(), policy.Server()
	offered, offers := d.began.MCP(), policy.MCP()
	for setting, changed := range map[string]bool{
		"server.listen": before.Listen != now.Listen,
		"server.audit":  before.Audit != now.Audit,
		"server.harden": before.Harden != now.Harden,

		"mcp.external_files":         !slices.Equal(offered.ExternalFiles, offers.ExternalFiles),
		"mcp.max_external_file_size": offered.MaxExternalFileSize != offers.MaxExternalFileSize,
		"mcp.rate":                   offered.Rate != offers.Rate,
		"mcp.concurrent":             offered.Concurrent != offers.Concurrent,
	} {
		if changed {
			d.log.Warn("a setting applies after a restart", "setting", setting)
		}
	}
	err = d.packaged.reload(context.Background(), policy, func(profile string, err error) {
		d.log.Warn(`packages stay as they were: run "sandboxd runtimes prepare" and reload, or restart the daemon`, "profile", profile, "error", err)
	})
	if err != nil {
		return err
	}
	if err := d.apply(policy); err != nil {
		return err
	}
	d.log.Info("reloaded", "policy", path, "profiles", policy.Names(), "tokens", len(policy.Tokens()))
	return nil
}

// reachable refuses a policy that grants what this process has given up.
func (d *daemon) reachable(policy *policies.Policy) error {
	if !d.hardened {
		return nil
	}
	have := grantsOf(d.began)
	for _, g := range grantsOf(policy) {
		if slices.Contains(have, g) || !g.network && !g.writable && slices.Contains(have, grant{path: g.path, writable: true}) {
			continue
		}
		if g.network {
			return errors.New("it grants network, which this process has given up: restart the daemon")
		}
		return fmt.Errorf("it grants %q, which this process has given up: restart the daemon", g.path)
	}
	return nil
}

// configurationOf identifies what programs run under: this build, the text of the policy,
// the runtimes with what they are made of and their packages, and where data is kept.
func configurationOf(build string, policy *policies.Policy, registry *runtimes.Registry, data string, installed func(string) []string) (string, error) {
	var all strings.Builder
	fmt.Fprintf(&all, "%q %q", build, data)
	if path := policy.Path(); path != "" {
		abs, err := filepath.Abs(path) // mounts are relative to it
		if err != nil {
			return "", err
		}
		text, err := os.ReadFile(path) //nolint:gosec // the operator names the file
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&all, "%q %d\n%s", abs, len(text), text)
	}
	for _, def := range registry.All() {
		fmt.Fprintf(&all, "\n%q %q %q %v %v %v %q", def.Name, def.Version, def.Driver, def.Source, def.Command, def.Limits, installed(def.Name))
	}
	hash := sha256.Sum256([]byte(all.String()))
	return hex.EncodeToString(hash[:]), nil
}

// certificate is that of the daemon, which can be renewed while it serves.
type certificate struct {
	cert, key string // files
	current   atomic.Pointer[tls.Certificate]
}

func loadCertificate(cert, key string) (*certificate, error) {
	c := &certificate{cert: cert, key: key}
	return c, c.load()
}

func (c *certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("read the certificate %q: %w", c.cert, err)
	}
	c.current.Store(&pair)
	return nil
}
