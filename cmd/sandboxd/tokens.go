package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sandboxd/sandboxd/policies"
)

func (a *app) tokensCommand() *cobra.Command {
	return groupCommand("tokens", "Make tokens for callers of the daemon", a.tokensNewCommand())
}

// tokenJSON is a new token.
type tokenJSON struct {
	Token string `json:"token"`
	Hash  string `json:"hash"`
	TOML  string `json:"toml"`
}

func (a *app) tokensNewCommand() *cobra.Command {
	var profiles []string
	asJSON := false
	cmd := &cobra.Command{
		Use:   "new name",
		Short: "Make a token, print it once, and print what to put into the policy",
		Long: `Make a token for a caller of the daemon. It is printed once and kept nowhere: the
policy only has its hash, which is of no use to who reads it. Paste the rest into the
policy, and send the daemon SIGHUP.`,
		Example: "  sandboxd tokens new ci\n  sandboxd tokens new ci --profile strict --profile relaxed",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			policy, err := a.policy()
			if err != nil {
				return err
			}
			if len(profiles) == 0 {
				profiles = []string{policy.Default()}
			}
			t, err := newToken(policy, args[0], profiles)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(t)
			}
			_, err = fmt.Fprintf(a.stdout, "token: %s\n\n%s", t.Token, t.TOML)
			return err
		},
	}
	cmd.Flags().StringArrayVarP(&profiles, "profile", "p", nil, "let the caller use profile `name`; may be repeated, the first is its default; default: the policy's default")
	jsonFlag(cmd, &asJSON)
	a.completeFlag(cmd, "profile", a.completeProfiles)
	return cmd
}

// newToken makes a token of 256 random bits, which no one can guess from its hash, so
// that a plain SHA-256 keeps it safe. What it prints is what the policy accepts.
func newToken(policy *policies.Policy, name string, profiles []string) (tokenJSON, error) {
	for _, p := range profiles {
		if _, err := policy.Profile(p); err != nil {
			return tokenJSON{}, err
		}
	}
	secret := "sbx_" + rand.Text() + rand.Text()
	hash := sha256.Sum256([]byte(secret))
	quoted := make([]string, len(profiles))
	for i, p := range profiles {
		quoted[i] = strconv.Quote(p)
	}
	t := tokenJSON{Token: secret, Hash: hex.EncodeToString(hash[:])}
	t.TOML = fmt.Sprintf("[[server.tokens]]\nname = %q\nhash = %q\nprofiles = [%s]\n", name, t.Hash, strings.Join(quoted, ", "))
	var check strings.Builder
	check.WriteString(t.TOML)
	for _, p := range profiles { // they need only exist
		fmt.Fprintf(&check, "[profiles.%q]\n", p)
	}
	if _, err := policies.Parse("the new token", []byte(check.String())); err != nil {
		return tokenJSON{}, err
	}
	return t, nil
}
