package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// printTable writes rows in aligned columns, without spaces at the ends of lines.
// Cells are made inert, as some hold text from files.
func (a *app) printTable(rows [][]string) error {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = inert(strings.ReplaceAll(cell, "\t", " "))
		}
		_, _ = fmt.Fprintln(w, strings.Join(cells, "\t")) // a Builder does not fail
	}
	_ = w.Flush()
	for line := range strings.Lines(text.String()) {
		if _, err := fmt.Fprintln(a.stdout, strings.TrimRight(line, " \n")); err != nil {
			return fmt.Errorf("write the table: %w", err)
		}
	}
	return nil
}

// jsonFlag declares --json on cmd.
func jsonFlag(cmd *cobra.Command, target *bool) {
	cmd.Flags().BoolVar(target, "json", false, "print JSON instead of text")
}
