package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/host/workspace"
	"github.com/sandboxd/sandboxd/plugins/service"
)

// oneLine is a hostile name as a cell of a table: names with line breaks, and with
// what could be taken for the quotes around them, are quoted.
func oneLine(name string) string {
	if strings.ContainsAny(name, "\n\r\t\"\\") {
		return strconv.Quote(name)
	}
	return name
}

func (a *app) sessionsLsCommand() *cobra.Command {
	var o workspace.ListOptions
	asJSON := false
	cmd := a.sessionCommand("ls id [pattern]", "List the files of a session",
		"  sandboxd sessions ls report\n  sandboxd sessions ls report '**/*.csv' --hash --json", 0, 1,
		func(ctx context.Context, store *session.Store, k session.Key, args []string) (err error) {
			o.Pattern = strings.Join(args, "")
			w, err := store.View(ctx, k)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, w.Close()) }()
			entries := []workspace.Entry{}
			rows := [][]string{{"SIZE", "MODIFIED", "FILE"}}
			for e, err := range w.List(ctx, o) {
				if err != nil && e.Path == "" {
					return err
				}
				if err != nil {
					a.note("%v", err)
					continue
				}
				entries = append(entries, e)
				rows = append(rows, lsRow(e, o.Hash))
			}
			if asJSON {
				return a.printJSON(map[string]any{"files": entries})
			}
			if o.Hash {
				rows[0] = append([]string{"SHA256"}, rows[0]...)
			}
			return a.printTable(rows)
		})
	cmd.Flags().BoolVar(&o.Hash, "hash", false, "hash every file, which reads it")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func lsRow(e workspace.Entry, hash bool) []string {
	size, name := strconv.FormatInt(e.Size, 10), oneLine(e.Path)
	switch e.Kind {
	case workspace.KindFile:
	case workspace.KindDirectory:
		size, name = "-", name+"/"
	case workspace.KindLink, workspace.KindOther:
		size = string(e.Kind)
	}
	row := []string{size, when(e.Modified), name}
	if hash {
		sum := e.SHA256
		if sum == "" {
			sum = "-"
		}
		row = append([]string{sum}, row...)
	}
	return row
}

func (a *app) sessionsCatCommand() *cobra.Command {
	offset, length := int64(0), int64(-1)
	cmd := a.sessionCommand("cat id file", "Print a file of a session",
		"  sandboxd sessions cat report out.csv\n  sandboxd sessions cat report big.bin --offset 1000 --length 16", 1, 1,
		func(ctx context.Context, store *session.Store, k session.Key, args []string) error {
			midLine := false
			out := newGuestWriter(a.stdout, func() {}, &midLine)
			return errors.Join(readOut(ctx, store, k, args[0], offset, length, out), out.close())
		})
	cmd.Flags().Int64Var(&offset, "offset", 0, "begin behind so many `bytes`")
	cmd.Flags().Int64Var(&length, "length", -1, "print at most so many `bytes`; default: to the end")
	return cmd
}

// readOut copies a file of a session to a writer.
func readOut(ctx context.Context, store *session.Store, k session.Key, name string, offset, length int64, to io.Writer) (err error) {
	w, err := store.View(ctx, k)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	file, _, err := w.Read(name, offset, length)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_, err = io.Copy(to, file)
	return err
}

// limitsOf are what the files of a session may grow to: the quota of its profile.
func (a *app) limitsOf(ctx context.Context, store *session.Store, k session.Key) (workspace.Limits, error) {
	n, err := store.Get(ctx, k)
	if err != nil {
		return workspace.Limits{}, err
	}
	policy, err := a.policy()
	if err != nil {
		return workspace.Limits{}, err
	}
	profile, err := policy.Profile(n.Profile)
	if err != nil {
		return workspace.Limits{}, err
	}
	return service.FileLimits(profile), nil
}

func (a *app) sessionsPutCommand() *cobra.Command {
	overwrite, appendTo, asTar, asZip := false, false, false, false
	cmd := a.sessionCommand("put id file [source]", "Write a file of a session, from a file or standard input",
		"  sandboxd sessions put report data.csv ./sales.csv\n  tar -c data | sandboxd sessions put report --tar -", 1, 2,
		func(ctx context.Context, store *session.Store, k session.Key, args []string) error {
			archive := asTar || asZip
			if archive && len(args) > 1 {
				return fmt.Errorf("put an archive: only its file is named, got %q as well", args[1])
			}
			limits, err := a.limitsOf(ctx, store, k)
			if err != nil {
				return err
			}
			in, done, err := a.readFrom(args[len(args)-1], archive || len(args) > 1)
			if err != nil {
				return err
			}
			defer done()
			mode := workspace.Create
			if overwrite {
				mode = workspace.Replace
			}
			if appendTo {
				mode = workspace.Append
			}
			return store.Edit(ctx, k, limits, func(w *workspace.Workspace) error {
				if !archive {
					_, err := w.Write(ctx, args[0], mode, in)
					return err
				}
				unpack := w.ReadTar
				if asZip {
					unpack = w.ReadZip
				}
				_, skipped, err := unpack(ctx, mode, in)
				if skipped > 0 {
					a.note("%d entries were left out: they are neither files nor directories", skipped)
				}
				return err
			})
		})
	cmd.Flags().BoolVar(&overwrite, "overwrite", false, "replace what is there")
	cmd.Flags().BoolVar(&appendTo, "append", false, "add to what is there")
	cmd.Flags().BoolVar(&asTar, "tar", false, "unpack a tar archive into the session: put id --tar archive")
	cmd.Flags().BoolVar(&asZip, "zip", false, "unpack a zip archive, likewise")
	cmd.MarkFlagsMutuallyExclusive("overwrite", "append")
	cmd.MarkFlagsMutuallyExclusive("tar", "zip")
	return cmd
}

// readFrom opens a file that the user names; "-", or no name, is standard input.
func (a *app) readFrom(name string, named bool) (io.Reader, func(), error) {
	if !named || name == "-" {
		return a.stdin, func() {}, nil
	}
	file, err := os.Open(name) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, nil, fmt.Errorf("read the source: %w", err)
	}
	return file, func() { _ = file.Close() }, nil
}

func (a *app) sessionsGetCommand() *cobra.Command {
	asTar, asZip := false, false
	cmd := a.sessionCommand("get id [file] target", "Copy a file of a session to a file, or all of them to an archive",
		"  sandboxd sessions get report out.csv ./out.csv\n  sandboxd sessions get report --tar - | tar -t", 1, 2,
		func(ctx context.Context, store *session.Store, k session.Key, args []string) error {
			archive := asTar || asZip
			if archive != (len(args) == 1) {
				return errors.New("get what? name a file of the session and where to write it, or --tar or --zip and where to write the archive")
			}
			return a.writeTo(args[len(args)-1], func(to io.Writer) error {
				if !archive {
					return readOut(ctx, store, k, args[0], 0, -1, to)
				}
				// No call changes files while they are read.
				return store.Edit(ctx, k, workspace.Limits{}, func(w *workspace.Workspace) error {
					pack := w.WriteTar
					if asZip {
						pack = w.WriteZip
					}
					_, skipped, err := pack(ctx, to)
					if skipped > 0 {
						a.note("%d entries were left out: they are neither files nor directories, or cannot be read", skipped)
					}
					return err
				})
			})
		})
	cmd.Flags().BoolVar(&asTar, "tar", false, "write all files as a tar archive: get id --tar archive")
	cmd.Flags().BoolVar(&asZip, "zip", false, "write all files as a zip archive, likewise")
	cmd.MarkFlagsMutuallyExclusive("tar", "zip")
	return cmd
}

// writeTo writes a new file that the user names; "-" is standard output.
func (a *app) writeTo(name string, write func(io.Writer) error) (err error) {
	if name == "-" {
		if isTerminal(a.stdout) {
			return errors.New("standard output is a terminal; name a file, or use \"cat\"")
		}
		return write(a.stdout)
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) //nolint:gosec // the operator names the file
	if err != nil {
		return fmt.Errorf("write the target: %w", err)
	}
	if err := errors.Join(write(file), file.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

func (a *app) sessionsMvCommand() *cobra.Command {
	return a.sessionCommand("mv id from to", "Rename a file or directory of a session",
		"  sandboxd sessions mv report draft.md final.md", 2, 2,
		func(ctx context.Context, store *session.Store, k session.Key, args []string) error {
			return store.Edit(ctx, k, workspace.Limits{}, func(w *workspace.Workspace) error { return w.Move(args[0], args[1]) })
		})
}

func (a *app) sessionsRmCommand() *cobra.Command {
	recursive := false
	cmd := a.sessionCommand("rm id file...", "Delete files of a session",
		"  sandboxd sessions rm report draft.md\n  sandboxd sessions rm -r report data", 1, 1000,
		func(ctx context.Context, store *session.Store, k session.Key, args []string) error {
			return store.Edit(ctx, k, workspace.Limits{}, func(w *workspace.Workspace) error {
				var errs []error
				for _, name := range args {
					if recursive {
						errs = append(errs, w.RemoveAll(ctx, name))
					} else {
						errs = append(errs, w.Remove(name))
					}
				}
				return errors.Join(errs...)
			})
		})
	cmd.Flags().BoolVarP(&recursive, "recursive", "r", false, "directories with all they hold; \".\" is everything")
	return cmd
}
