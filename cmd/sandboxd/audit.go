package main

import (
	"fmt"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/audit"
	"github.com/sandboxd/sandboxd/policies"
)

// auditLog opens the audit log that the policy asks for, unless req would show it
// to the program. It is nil when the policy asks for none; the caller closes it.
func (a *app) auditLog(settings policies.Audit, req *host.Request) (*audit.Writer, error) {
	if settings.File == "" {
		return nil, nil
	}
	if req.Workspace != "" && settings.Holds(req.Workspace) {
		return nil, fmt.Errorf("read --workspace: %q holds the policy's audit log, which programs must not see; use another directory", req.Workspace)
	}
	for _, m := range req.Mounts {
		if settings.Holds(m.Host) {
			return nil, fmt.Errorf("read --mount: %q holds the policy's audit log, which programs must not see; mount another directory", m.Host)
		}
	}
	return audit.Open(audit.Options{
		Path:     settings.File,
		MaxSize:  int64(settings.MaxSize), //nolint:gosec // at most policies.MaxAuditSize
		Keep:     settings.Keep,
		Required: settings.Required,
		Log:      a.logger(),
	})
}

// closeAudit closes log. What it could not write is an error only where the policy
// requires it.
func (a *app) closeAudit(log *audit.Writer, policy *policies.Policy) error {
	err := log.Close()
	if err != nil && !policy.Server().Audit.Required {
		a.note("%v", err)
		return nil
	}
	return err
}
