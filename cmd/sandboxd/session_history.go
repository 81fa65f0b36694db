package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/session"
)

func (a *app) sessionsForkCommand() *cobra.Command {
	turn, asJSON := -1, false
	cmd := a.sessionCommand("fork id [new-id]", "Make a session out of another one and print its id",
		"  sandboxd sessions fork report try-this\n  sandboxd sessions fork report --turn 3", 0, 1,
		func(ctx context.Context, store *session.Store, k session.Key, args []string) error {
			id := ""
			if len(args) > 0 {
				id = args[0]
			}
			n, err := store.Fork(ctx, k, turn, id)
			if err != nil {
				return err
			}
			return a.printSession(n, asJSON)
		})
	cmd.Flags().IntVar(&turn, "turn", -1, "as it was after that `turn`; default: the last")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) sessionsRollbackCommand() *cobra.Command {
	asJSON := false
	cmd := a.sessionCommand("rollback id [turns]", "Undo the last turn of a session, or so many",
		"  sandboxd sessions rollback report\n  sandboxd sessions rollback report 2", 0, 1,
		func(ctx context.Context, store *session.Store, k session.Key, args []string) error {
			back := 1
			if len(args) > 0 {
				var err error
				if back, err = strconv.Atoi(args[0]); err != nil || back < 1 {
					return fmt.Errorf("roll back %q: want a number of turns, at least 1", args[0])
				}
			}
			n, err := store.Get(ctx, k)
			if err != nil {
				return err
			}
			if back > n.Turn-n.Oldest {
				return fmt.Errorf("roll back session %q: %d turns are kept before this one (to keep more: sessions.history of a profile)", n.ID, n.Turn-n.Oldest)
			}
			if n, err = store.Rollback(ctx, k, n.Turn-back); err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(n)
			}
			a.note("session %q is as it was after turn %d", n.ID, n.Turn)
			return nil
		})
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) sessionsResetCommand() *cobra.Command {
	keepFiles, asJSON := false, false
	cmd := a.sessionCommand("reset id", "Empty a session; what was there can be rolled back to",
		"  sandboxd sessions reset report\n  sandboxd sessions reset --keep-files report", 0, 0,
		func(ctx context.Context, store *session.Store, k session.Key, _ []string) error {
			n, err := store.Get(ctx, k)
			if err != nil {
				return err
			}
			policy, err := a.policy()
			if err != nil {
				return err
			}
			profile, err := policy.Profile(n.Profile)
			if err != nil {
				return err
			}
			if n, err = store.Reset(ctx, k, keepFiles, profile.Sessions.History); err != nil || !asJSON {
				return err
			}
			return a.printJSON(n)
		})
	cmd.Flags().BoolVar(&keepFiles, "keep-files", false, "forget the state only")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) sessionsDiffCommand() *cobra.Command {
	asJSON := false
	cmd := a.sessionCommand("diff id [turn]", "Show which files the last turn changed, or another one",
		"  sandboxd sessions diff report\n  sandboxd sessions diff report 3 --json", 0, 1,
		func(ctx context.Context, store *session.Store, k session.Key, args []string) error {
			turns, err := store.Turns(ctx, k)
			if err != nil {
				return err
			}
			t := turns[len(turns)-1]
			if len(args) > 0 {
				number, err := strconv.Atoi(args[0])
				if err != nil || number < turns[0].Number || number > t.Number {
					return fmt.Errorf("session %q has no turn %q; it has turns %d to %d", k.ID, args[0], turns[0].Number, t.Number)
				}
				t = turns[number-turns[0].Number]
			}
			if asJSON {
				return a.printJSON(t)
			}
			return a.printDiff(t)
		})
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) printDiff(t *session.Turn) error {
	rows := [][]string{{"TURN " + strconv.Itoa(t.Number), "SIZE", "FILE"}}
	add := func(what string, files []host.File) {
		for _, f := range files {
			rows = append(rows, []string{what, strconv.FormatInt(f.Size, 10), oneLine(f.Path)})
		}
	}
	add("created", t.FilesCreated)
	add("modified", t.FilesModified)
	for _, f := range t.FilesDeleted {
		rows = append(rows, []string{"deleted", "", oneLine(f.Path)})
	}
	if err := a.printTable(rows); err != nil {
		return err
	}
	if t.FilesOmitted > 0 {
		a.note("%d more files changed", t.FilesOmitted)
	}
	return nil
}
