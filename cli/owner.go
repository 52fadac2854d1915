package cli

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cryptexq/cryptexq/app/api"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// plain makes a command without arguments and flags.
func plain(use, short string, run func(ctx context.Context) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: none, RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context()) }}
}

func (c *console) idCommand() *cobra.Command {
	return plain("id", "own name, account, device, safety number", func(ctx context.Context) error {
		var id api.Identity
		if err := c.client.Get(ctx, "/v1/identity", &id); err != nil {
			return err
		}
		return show(c, id, func(id api.Identity) error {
			return c.say("Name           %s\nAccount        %s\nDevice         %s\nPeer           %s\nSafety number  %s\nAddresses      %s",
				clean(id.Name), id.Account, id.Device, id.Peer, id.SafetyNumber, strings.Join(id.Addresses, "\n               "))
		})
	})
}

func (c *console) kitCommand() *cobra.Command {
	return group("kit", "the 24 words: show them, or confirm that they are saved",
		plain("show", "show the 24 words; asks for the password", c.showKit),
		plain("confirm", "they are saved: erase them from the vault", func(ctx context.Context) error {
			var id api.Identity
			if err := c.client.Post(ctx, "/v1/words/confirm", nil, &id); err != nil {
				return err
			}
			return show(c, id, func(api.Identity) error { return c.say("Erased from the vault. From now on only your copy has them.") })
		}))
}

func (c *console) showKit(ctx context.Context) error {
	if err := c.client.Get(ctx, "/v1/identity", nil); err != nil {
		return err // before anybody types a password in vain
	}
	password, err := c.password(ctx, "Password: ")
	if err != nil {
		return err
	}
	var w api.Words
	if err := c.client.Post(ctx, "/v1/words", map[string]string{"password": string(password)}, &w); err != nil {
		return err
	}
	return show(c, w, func(w api.Words) error {
		words := strings.Fields(w.Words)
		for i, word := range words {
			end := "  "
			if i%6 == 5 {
				end = "\n"
			}
			if _, err := fmt.Fprintf(c.out, "%2d %-9s%s", i+1, word, end); err != nil {
				return err
			}
		}
		return c.say("Whoever has these words is you. Saved them? Then: %s kit confirm", c.command())
	})
}

func (c *console) passwdCommand() *cobra.Command {
	var file string
	cmd := plain("passwd", "change the password", func(ctx context.Context) error { return c.changePassword(ctx, file) })
	cmd.Flags().StringVar(&file, "new-password-file", "", "read the new one from the first line of a `FILE` that only you can read")
	return cmd
}

func (c *console) changePassword(ctx context.Context, file string) error {
	if err := c.client.Get(ctx, "/v1/identity", nil); err != nil {
		return err
	}
	if file == "" && !isTerminal(c.in) {
		return advise(errNoPassword.Code, "No new password: there is no terminal to ask on. Give --new-password-file FILE, a file that only you can read.")
	}
	old, err := c.password(ctx, "The password so far, or the 24 words: ")
	if err != nil {
		return err
	}
	var next []byte
	if file != "" {
		next, err = readPassword(file, 0o077)
	} else {
		next, err = c.askTwice(ctx, "The new one, 10 or more characters: ")
	}
	if err != nil {
		return err
	}
	if err := c.client.Post(ctx, "/v1/password", map[string]string{"old": string(old), "new": string(next)}, nil); err != nil {
		return err
	}
	return show(c, struct{}{}, func(struct{}) error { return c.say("The password was changed.") })
}

func (c *console) lockCommand() *cobra.Command {
	return plain("lock", "put the window behind the password", func(ctx context.Context) error {
		return c.client.Post(ctx, "/v1/lock", nil, nil)
	})
}

func (c *console) stopCommand() *cobra.Command {
	return plain("stop", "end the running program; returns when it is gone", func(ctx context.Context) error {
		if err := c.client.Stop(ctx); err != nil {
			return err
		}
		return show(c, struct{}{}, func(struct{}) error { return c.say("Stopped.") })
	})
}

// versions is what version prints.
type versions struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Suite   string `json:"suite"`
	Go      string `json:"go"`
}

func (c *console) versionCommand() *cobra.Command {
	return plain("version", "version, commit, cryptographic suite, Go", func(context.Context) error {
		v := versions{c.program.Version, c.program.Commit, fmt.Sprintf("%d", identity.Suite), runtime.Version()}
		return show(c, v, func(v versions) error {
			return c.say("CryptexQ %s (%s)\nsuite %s: X25519 + ML-KEM-768, Ed25519 + ML-DSA-65, AES-256-GCM, SHA-256\n%s", v.Version, v.Commit, v.Suite, v.Go)
		})
	})
}
