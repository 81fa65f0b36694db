package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/policies"
	"github.com/sandboxd/sandboxd/runtimes"
)

// pruneAfter is how long nothing has used what is pruned, unless a flag says otherwise:
// longer than people are on holiday.
const pruneAfter = 30 * 24 * time.Hour

func (a *app) runtimesPruneCommand() *cobra.Command {
	o := runtimes.PruneOptions{Idle: pruneAfter}
	var older *policies.Duration
	all, asJSON := false, false
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Delete from the cache what nothing has used for long",
		Long: `Delete from the cache what nothing has used for long: prepared runtimes and images
of preloaded packages, as each version of sandboxd, of a package or of a setting
leaves behind; fetched modules that no runtime names any more; and what processes
that were killed left there.

What a process uses at this moment stays, and so do modules that were built from
source or imported. What is deleted is made or fetched again when it is needed. A
session that kept its interpreter may lose it with the image that it began with, and
keeps its files.`,
		Example: "  sandboxd runtimes prune --dry-run\n  sandboxd runtimes prune --older-than 168h",
		Args:    atMost(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case all:
				o.Idle = 0
			case older != nil:
				o.Idle = time.Duration(*older)
			}
			return a.pruneRuntimes(cmd.Context(), o, asJSON)
		},
	}
	flags := cmd.Flags()
	flags.Var(optional[policies.Duration]{&older, policies.ParseDuration, "duration"}, "older-than", "what was used longer ago, such as 168h; default: 720h, which is 30 days")
	flags.BoolVar(&all, "all", false, "all that nothing uses at this moment, however new")
	flags.BoolVar(&o.DryRun, "dry-run", false, "delete nothing, and tell what would be")
	cmd.MarkFlagsMutuallyExclusive("older-than", "all")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) pruneRuntimes(ctx context.Context, o runtimes.PruneOptions, asJSON bool) error {
	registry, err := a.registry()
	if err != nil {
		return err
	}
	cache, err := a.cache()
	if err != nil {
		return err
	}
	o.Known = registry.All()
	p, err := host.Prune(ctx, cache, o)
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(p)
	}
	rows := [][]string{{"NAME", "BYTES", "WHY"}}
	for _, r := range p.Removed {
		rows = append(rows, []string{r.Name, fmt.Sprint(r.Bytes), r.Reason})
	}
	for _, s := range p.Skipped {
		rows = append(rows, []string{s.Name, "-", "skipped: " + s.Reason})
	}
	if err := a.printTable(rows); err != nil {
		return err
	}
	did := "removed"
	if p.DryRun {
		did = "would be removed"
	}
	a.note("%d files and folders, %d bytes %s; %d skipped", len(p.Removed), p.Bytes, did, len(p.Skipped))
	return nil
}
