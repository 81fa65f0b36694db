package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/policies"
)

func (a *app) sessionsCommand() *cobra.Command {
	return groupCommand("sessions", "List, change and prune sessions, and their files",
		a.sessionsListCommand(), a.sessionsCreateCommand(), a.sessionsShowCommand(), a.sessionsRemoveCommand(),
		a.sessionsForkCommand(), a.sessionsRollbackCommand(), a.sessionsDiffCommand(), a.sessionsResetCommand(),
		a.sessionsPruneCommand(),
		a.sessionsLsCommand(), a.sessionsCatCommand(), a.sessionsPutCommand(), a.sessionsGetCommand(),
		a.sessionsMvCommand(), a.sessionsRmCommand())
}

// sessionCommand is a command on the session that its first argument names, with
// least to most arguments after it.
func (a *app) sessionCommand(use, short, example string, least, most int, do func(context.Context, *session.Store, session.Key, []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Example: example,
		Args: func(cmd *cobra.Command, args []string) error {
			if n := len(args) - 1; n < least || n > most {
				return usageError(cmd, fmt.Errorf("%d arguments, and %q takes those of %q", len(args), cmd.CommandPath(), use))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := a.sessions(cmd.Context())
			if err != nil {
				return err
			}
			return do(cmd.Context(), store, session.Key{ID: args[0]}, args[1:])
		},
		ValidArgsFunction: firstArg(a.completeSessions),
	}
}

// completeSessions offers the ids of the user's sessions.
func (a *app) completeSessions(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	store, err := a.sessions(cmd.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	list, err := store.List(cmd.Context(), "")
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	ids := make([]string, len(list))
	for i, n := range list {
		ids[i] = n.ID
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// completePersist offers the levels of persistence.
func completePersist(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{string(session.PersistNone), string(session.PersistState)}, cobra.ShellCompDirectiveNoFileComp
}

func (a *app) sessionsListCommand() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the sessions, the one used last first",
		Example: "  sandboxd sessions list\n  sandboxd sessions list --json",
		Args:    atMost(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := a.sessions(cmd.Context())
			if err != nil {
				return err
			}
			list, err := store.List(cmd.Context(), "")
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(map[string]any{"sessions": list})
			}
			rows := [][]string{{"SESSION", "LANGUAGE", "KEEPS", "CALLS", "SIZE", "USED"}}
			for _, n := range list {
				if n.Damaged != "" {
					rows = append(rows, []string{n.ID, "damaged"})
					continue
				}
				rows = append(rows, []string{n.ID, n.Language, keepsWhat(n.Persist), fmt.Sprint(n.Calls), roughBytes(uint64(n.Bytes)), when(n.Used)}) //nolint:gosec // a size
			}
			return a.printTable(rows)
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

// keepsWhat is a level of persistence in words.
func keepsWhat(p session.Persist) string {
	if p == session.PersistState {
		return "files, state"
	}
	return "files"
}

// when is a time for people, in their own zone.
func when(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

func (a *app) sessionsCreateCommand() *cobra.Command {
	var spec session.Spec
	persist, asJSON := "", false
	cmd := &cobra.Command{
		Use:     "create [id]",
		Short:   "Make an empty session and print its id",
		Example: "  sandboxd sessions create\n  sandboxd sessions create report --lang python --persist state",
		Args:    atMost(1, "one id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			policy, err := a.policy()
			if err != nil {
				return err
			}
			if _, err := policy.Profile(spec.Profile); err != nil {
				return err
			}
			registry, err := a.registry()
			if err != nil {
				return err
			}
			def, err := registry.Lookup(spec.Language)
			if err != nil {
				return err
			}
			store, err := a.sessions(cmd.Context())
			if err != nil {
				return err
			}
			spec.ID, spec.Language, spec.Persist = strings.Join(args, ""), def.Name, session.Persist(persist)
			n, err := store.Create(cmd.Context(), spec)
			if err != nil {
				return err
			}
			return a.printSession(n, asJSON)
		},
	}
	cmd.Flags().StringVarP(&spec.Language, "lang", "l", defaultLanguage, "the `language` of its programs")
	cmd.Flags().StringVarP(&spec.Profile, "profile", "p", "", "run its programs under profile `name`; default: the policy's default")
	cmd.Flags().StringVar(&persist, "persist", "", "`level` none, for files only, or state, for the interpreter as well")
	a.completeFlag(cmd, "lang", a.completeLanguages)
	a.completeFlag(cmd, "profile", a.completeProfiles)
	a.completeFlag(cmd, "persist", completePersist)
	jsonFlag(cmd, &asJSON)
	return cmd
}

// printSession prints a session as JSON, or its id alone.
func (a *app) printSession(n *session.Session, asJSON bool) error {
	if asJSON {
		return a.printJSON(n)
	}
	if _, err := fmt.Fprintln(a.stdout, n.ID); err != nil {
		return fmt.Errorf("write the session's id: %w", err)
	}
	return nil
}

// sessionJSON is a session as "show" prints it.
type sessionJSON struct {
	*session.Session

	TotalBytes int64           `json:"total_bytes"` // with all turns
	Turns      []*session.Turn `json:"turns"`
}

func (a *app) sessionsShowCommand() *cobra.Command {
	asJSON := false
	cmd := a.sessionCommand("show id", "Show what is known of a session, and its turns",
		"  sandboxd sessions show report\n  sandboxd sessions show report --json", 0, 0,
		func(ctx context.Context, store *session.Store, k session.Key, _ []string) error {
			n, err := store.Get(ctx, k)
			if err != nil {
				return err
			}
			turns, err := store.Turns(ctx, k)
			if err != nil {
				return err
			}
			total, err := store.Size(ctx, k)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(sessionJSON{n, total, turns})
			}
			return a.showSession(n, turns, total)
		})
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) showSession(n *session.Session, turns []*session.Turn, total int64) error {
	profile := n.Profile
	if profile == "" {
		profile = "(the default)"
	}
	rows := [][]string{
		{"SESSION", n.ID},
		{"language", n.Language},
		{"profile", profile},
		{"keeps", keepsWhat(n.Persist)},
		{"created", when(n.Created)},
		{"used", when(n.Used)},
		{"calls", fmt.Sprint(n.Calls)},
		{"size", fmt.Sprintf("%s, %s with earlier turns", roughBytes(uint64(n.Bytes)), roughBytes(uint64(total)))}, //nolint:gosec // sizes
	}
	if n.Parent != nil {
		rows = append(rows, []string{"forked from", fmt.Sprintf("%s, turn %d", n.Parent.ID, n.Parent.Turn)})
	}
	if err := a.printTable(rows); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(a.stdout); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	rows = [][]string{{"TURN", "STATUS", "CREATED", "MODIFIED", "DELETED", "STATE", "TIME"}}
	for _, t := range turns {
		state := "-"
		if t.State != "" {
			state = roughBytes(uint64(t.StateBytes)) //nolint:gosec // a size
		}
		rows = append(rows, []string{
			fmt.Sprint(t.Number), t.Status, fmt.Sprint(len(t.FilesCreated)), fmt.Sprint(len(t.FilesModified)),
			fmt.Sprint(len(t.FilesDeleted)), state, when(t.Time),
		})
	}
	return a.printTable(rows)
}

func (a *app) sessionsRemoveCommand() *cobra.Command {
	noWait := false
	cmd := &cobra.Command{
		Use:     "remove id...",
		Short:   "Delete sessions with all they have",
		Example: "  sandboxd sessions remove report\n  sandboxd sessions remove --no-wait report",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := a.sessions(cmd.Context())
			if err != nil {
				return err
			}
			var errs []error
			for _, id := range args {
				errs = append(errs, store.Remove(cmd.Context(), session.Key{ID: id}, !noWait))
			}
			return errors.Join(errs...)
		},
		ValidArgsFunction: a.completeSessions,
	}
	cmd.Flags().BoolVar(&noWait, "no-wait", false, "fail while a call runs in it, instead of waiting")
	return cmd
}

func (a *app) sessionsPruneCommand() *cobra.Command {
	var o session.PruneOptions
	var age, idle *policies.Duration
	var size *policies.Bytes
	asJSON := false
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Delete sessions that are old, unused, too many or too large together",
		Long: `Delete sessions that are old, unused, too many or too large together.

Where several limits are given, each applies; those used longest ago go first. A
session in which a call runs stays, and one that is damaged: remove that by name.`,
		Example: "  sandboxd sessions prune --idle 720h --dry-run\n  sandboxd sessions prune --max-count 100 --max-bytes 10GiB",
		Args:    atMost(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if age == nil && idle == nil && size == nil && o.Count == 0 {
				return usageError(cmd, errors.New("say what to prune: --age, --idle, --max-count or --max-bytes"))
			}
			if age != nil {
				o.Age = time.Duration(*age)
			}
			if idle != nil {
				o.Idle = time.Duration(*idle)
			}
			if size != nil {
				o.Bytes = int64(min(*size, policies.MaxDiskQuota)) //nolint:gosec // bounded
			}
			return a.prune(cmd.Context(), o, asJSON)
		},
	}
	flags := cmd.Flags()
	flags.Var(optional[policies.Duration]{&age, policies.ParseDuration, "duration"}, "age", "those created longer ago, such as 720h")
	flags.Var(optional[policies.Duration]{&idle, policies.ParseDuration, "duration"}, "idle", "those used longer ago, such as 24h")
	flags.IntVar(&o.Count, "max-count", 0, "all but so `many`")
	flags.Var(optional[policies.Bytes]{&size, policies.ParseBytes, "size"}, "max-bytes", "until the rest is no larger than this, such as 10GiB")
	flags.BoolVar(&o.DryRun, "dry-run", false, "delete nothing, and tell what would be")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) prune(ctx context.Context, o session.PruneOptions, asJSON bool) error {
	if o.Count < 0 {
		return fmt.Errorf("--max-count %d is negative", o.Count)
	}
	store, err := a.sessions(ctx)
	if err != nil {
		return err
	}
	owner := ""
	o.Owner = &owner
	p, err := store.Prune(ctx, o)
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(p)
	}
	rows := [][]string{{"SESSION", "BYTES", "WHY"}}
	for _, r := range p.Removed {
		rows = append(rows, []string{r.ID, fmt.Sprint(r.Bytes), r.Reason})
	}
	for _, s := range p.Skipped {
		rows = append(rows, []string{s.ID, "-", "skipped: " + s.Reason})
	}
	if err := a.printTable(rows); err != nil {
		return err
	}
	did := "removed"
	if p.DryRun {
		did = "would be removed"
	}
	a.note("%d sessions, %d bytes %s; %d skipped", len(p.Removed), p.Bytes, did, len(p.Skipped))
	return nil
}
