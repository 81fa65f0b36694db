package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/host"
	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/host/workspace"
)

func (a *app) benchSessionsCommand() *cobra.Command {
	quick, asJSON := false, false
	cmd := &cobra.Command{
		Use:   "sessions",
		Short: "Measure what sessions cost on this machine",
		Long: `Measure what a Python call costs more for going on from a state and keeping one, by
the size of what its program has in memory: in memory alone, and as a turn of a
session, which is on disk when it ends. And what a session that nobody uses takes,
how long listing 10 000 takes, and forking one of 20 MB. The sessions are temporary,
and lie where others do.`,
		Example: "  sandboxd bench sessions\n  sandboxd bench sessions --quick --json",
		Args:    atMost(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			figures, err := a.benchSessions(cmd.Context(), quick)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(map[string]any{"figures": figures})
			}
			rows := [][]string{{"WHAT", "MEASURED", "PROMISED", ""}}
			for _, f := range figures {
				promised := "-"
				if f.Limit > 0 {
					promised = fmt.Sprintf("<= %g", f.Limit)
				}
				rows = append(rows, []string{f.Name, fmt.Sprintf("%.3g %s", f.Value, f.Unit), promised, f.Note})
			}
			return a.printTable(rows)
		},
	}
	cmd.Flags().BoolVar(&quick, "quick", false, "measure less")
	jsonFlag(cmd, &asJSON)
	return cmd
}

// figure is one thing that was measured.
type figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Limit float64 `json:"limit,omitempty"` // the most that is promised; 0 is no promise
	Note  string  `json:"note,omitempty"`
}

// sessionBench measures sessions.
type sessionBench struct {
	host    *host.Host
	disk    *session.Disk
	store   *session.Store
	rounds  int
	figures []figure
}

func (a *app) benchSessions(ctx context.Context, quick bool) (_ []figure, err error) {
	e, err := a.openBench(ctx, benchPolicy)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	dir, err := a.data()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if dir, err = os.MkdirTemp(dir, "bench-"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	disk, err := session.OpenDisk(filepath.Join(dir, "sessions"))
	if err != nil {
		return nil, err
	}
	b := &sessionBench{host: e.host, disk: disk, store: session.New(session.Options{Storage: disk}), rounds: 40}
	if quick {
		b.rounds = 5
	}
	for _, measure := range []func(context.Context) error{b.turns, b.fork, b.list} {
		if err := measure(ctx); err != nil {
			return nil, err
		}
	}
	return b.figures, nil
}

const (
	benchLanguage = "python"
	// megabyteOf is a program that has so many MiB of small objects.
	megabyteOf = "x = [f'row {n}' for n in range(9_000 * %d)]"
	benchTurn  = `print("hi")`
)

// turns measures calls that keep a state against one that does not, taking turns.
func (b *sessionBench) turns(ctx context.Context) error {
	sizes := []int{0, 1, 4, 16}
	plain := host.Request{Language: benchLanguage, Code: []byte(benchTurn)}
	states := make([][]byte, len(sizes))
	for i, mib := range sizes {
		k, err := b.create(ctx, fmt.Sprintf("mib%d", mib), session.PersistState)
		if err != nil {
			return err
		}
		first := plain
		first.Code, first.KeepState = fmt.Appendf(nil, megabyteOf, mib), true
		r, err := b.execute(ctx, first)
		if err != nil {
			return err
		}
		states[i] = r.State
		if _, err := b.run(ctx, k, string(first.Code)); err != nil {
			return err
		}
		if mib > 0 {
			continue
		}
		bytes, err := b.store.Size(ctx, k)
		if err != nil {
			return err
		}
		b.add("an idle session with little state", float64(bytes)/1e3, "KB", 200, "")
	}
	stateless := make([]time.Duration, 0, b.rounds)
	kept, turns := make([][]time.Duration, len(sizes)), make([][]time.Duration, len(sizes))
	for range b.rounds {
		took, err := b.took(func() error { _, err := b.execute(ctx, plain); return err })
		if err != nil {
			return err
		}
		stateless = append(stateless, took)
		for i, mib := range sizes {
			next := plain
			next.State, next.KeepState = states[i], true
			if took, err = b.took(func() error { _, err := b.execute(ctx, next); return err }); err != nil {
				return err
			}
			kept[i] = append(kept[i], took)
			took, err = b.took(func() error { _, err := b.run(ctx, session.Key{ID: fmt.Sprintf("mib%d", mib)}, benchTurn); return err })
			if err != nil {
				return err
			}
			turns[i] = append(turns[i], took)
		}
	}
	base := median(stateless)
	b.add("a stateless call", base, "ms", 0, "")
	for i, mib := range sizes {
		limit := 0.0
		if mib == 1 {
			limit = 3
		}
		b.add(fmt.Sprintf("a state of %d MiB, more than stateless", mib), median(kept[i])-base, "ms", limit, fmt.Sprintf("%d KB compressed", len(states[i])/1000))
	}
	last := len(sizes) - 1
	b.add("for each MiB more", (median(kept[last])-median(kept[1]))/float64(sizes[last]-sizes[1]), "ms", 0, "")
	for i, mib := range sizes {
		b.add(fmt.Sprintf("a turn with %d MiB, on disk, more than stateless", mib), median(turns[i])-base, "ms", 0, "without history")
	}
	return nil
}

// fork measures forking sessions with 20 MB of files, for the first time and again:
// files that were changed since they were last shared are synced first.
func (b *sessionBench) fork(ctx context.Context) error {
	for _, shape := range []struct {
		name        string
		files, size int
		limit       float64
	}{
		{"20 of 1 MB", 20, 1 << 20, 10},
		{"1 of 20 MB", 1, 20 << 20, 10},
		{"1000 of 20 KB", 1000, 20 << 10, 0},
	} {
		var first, again []time.Duration
		for round := range max(b.rounds/5, 2) {
			k, err := b.create(ctx, fmt.Sprintf("forked-%d-%d", shape.files, round), session.PersistNone)
			if err != nil {
				return err
			}
			if err := b.fill(ctx, k, shape.files, shape.size); err != nil {
				return err
			}
			for i := range 6 {
				took, err := b.took(func() error { _, err := b.store.Fork(ctx, k, -1, ""); return err })
				if err != nil {
					return err
				}
				if i == 0 {
					first = append(first, took)
				} else {
					again = append(again, took)
				}
			}
		}
		b.add("first fork of 20 MB, "+shape.name, median(first), "ms", shape.limit, "")
		b.add("the next, "+shape.name, median(again), "ms", shape.limit, "")
	}
	return nil
}

// fill gives a session so many files.
func (b *sessionBench) fill(ctx context.Context, k session.Key, files, size int) error {
	dir, err := b.disk.Workspace(ctx, k, 0)
	if err != nil {
		return err
	}
	content := make([]byte, size)
	// Nothing is edited but by hand; it ends with all of it on disk.
	return b.store.Edit(ctx, k, workspace.Limits{}, func(*workspace.Workspace) error {
		for n := range files {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(n)), content, 0o600); err != nil {
				return err
			}
		}
		return nil
	})
}

// list measures listing ten thousand sessions, most of which are no more than their
// records.
func (b *sessionBench) list(ctx context.Context) error {
	const sessions = 10_000
	k, err := b.create(ctx, "listed", session.PersistNone)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(b.disk.Dir(k))
	if err != nil {
		return err
	}
	records := map[string][]byte{}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		if records[e.Name()], err = os.ReadFile(filepath.Join(b.disk.Dir(k), e.Name())); err != nil {
			return err
		}
	}
	for n := range sessions {
		dir := b.disk.Dir(session.Key{ID: fmt.Sprint("listed", n)})
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
		for name, data := range records {
			data = bytes.ReplaceAll(data, []byte(`"listed"`), fmt.Appendf(nil, `"listed%d"`, n))
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				return err
			}
		}
	}
	var all []time.Duration
	for range 3 {
		took, err := b.took(func() error {
			found, err := b.store.List(ctx, "")
			if err == nil && (len(found) < sessions || found[len(found)-1].Damaged != "") {
				err = fmt.Errorf("bench: %d sessions were listed", len(found))
			}
			return err
		})
		if err != nil {
			return err
		}
		all = append(all, took)
	}
	b.add("list of 10 000 sessions", median(all), "ms", 1000, "")
	return nil
}

func (b *sessionBench) create(ctx context.Context, id string, persist session.Persist) (session.Key, error) {
	n, err := b.store.Create(ctx, session.Spec{ID: id, Language: benchLanguage, Persist: persist})
	if err != nil {
		return session.Key{}, err
	}
	return n.Key(), nil
}

func (b *sessionBench) execute(ctx context.Context, r host.Request) (*host.Result, error) {
	result, err := b.host.Execute(ctx, r)
	if err == nil && (!result.Success || r.KeepState && result.State == nil) {
		err = fmt.Errorf("bench: %s %s", result.Status, result.StateError)
	}
	return result, err
}

func (b *sessionBench) run(ctx context.Context, k session.Key, code string) (*session.Outcome, error) {
	out, err := b.store.Run(ctx, b.host, k, session.Call{Request: host.Request{Code: []byte(code)}})
	if err == nil && !out.Result.Success {
		err = fmt.Errorf("bench: %s", out.Result.Status)
	}
	return out, err
}

func (b *sessionBench) took(do func() error) (time.Duration, error) {
	started := time.Now()
	err := do()
	return time.Since(started), err
}

func (b *sessionBench) add(name string, value float64, unit string, limit float64, note string) {
	b.figures = append(b.figures, figure{name, value, unit, limit, note})
}

// median is in milliseconds.
func median(all []time.Duration) float64 {
	slices.Sort(all)
	return float64(all[len(all)/2]) / float64(time.Millisecond)
}
