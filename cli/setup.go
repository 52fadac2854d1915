package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/app/api"
)

func (c *console) initCommand() *cobra.Command {
	var name, kit, kdf string
	cmd := &cobra.Command{
		Use: "init --name NAME", Short: "make a profile and an account", Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if kdf != "" && kdf != "min" {
				return usagef("--kdf is min or nothing, not %q", kdf)
			}
			return c.makeAccount(cmd.Context(), name, kit, kdf == "min")
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the `NAME` that others see")
	cmd.Flags().StringVar(&kit, "kit", "", "write the 24 words to this `FILE`, mode 0600, and count them as saved")
	cmd.Flags().StringVar(&kdf, "kdf", "", "the `COST` of trying a password; min is 64 MiB instead of a calibrated second, for tests")
	return cmd
}

func (c *console) makeAccount(ctx context.Context, name, kit string, quick bool) (err error) {
	p, err := app.OpenProfile(c.place.data, app.Config{})
	if err != nil {
		return unwritable(err)
	}
	defer p.Close()
	if p.Exists() {
		return &api.Error{Code: "exists", Message: "there is a vault here already"}
	}
	if name, err = c.nameOrAsk(ctx, name); err != nil {
		return err
	}
	password, err := c.newPassword(ctx, "A password of 10 or more characters; nobody can reset it: ")
	if err != nil {
		return err
	}
	a := app.NewAccount{Name: name, Password: password, MinKDF: quick}
	if err := app.CheckNew(a); err != nil {
		return err
	}
	sheet, err := openKit(kit)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sheet.close(err == nil)) }()
	s, err := p.Create(ctx, a)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if sheet != nil {
		if err := saveWords(ctx, s, sheet, password); err != nil {
			return err
		}
	}
	return c.greet(ctx, s, kit)
}

// nameOrAsk is a name that will do, before anybody types a password in vain.
func (c *console) nameOrAsk(ctx context.Context, name string) (_ string, err error) {
	switch {
	case name != "":
	case !isTerminal(c.in):
		return "", usagef("init needs --name NAME: others see it when you say hello")
	default:
		if name, err = c.askOpenly(ctx, "Your name, as others see it: "); err != nil {
			return "", err
		}
	}
	if err := app.CheckNew(app.NewAccount{Name: name, Password: make([]byte, app.MinPassword)}); err != nil {
		return "", usage(err)
	}
	return strings.TrimSpace(name), nil
}

// kitFile is where the words go; nil for nowhere.
type kitFile struct{ *os.File }

// openKit makes the file before there is an account, so that a place that cannot be written to is found out first.
func openKit(name string) (*kitFile, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("writing the words: %s is there already and is not overwritten; name another file", name)
	}
	if err != nil {
		return nil, fmt.Errorf("writing the words: %w; name a file that can be written to", err)
	}
	return &kitFile{f}, nil
}

// close leaves the file only when everything went well.
func (k *kitFile) close(done bool) error {
	if k == nil {
		return nil
	}
	err := k.Close()
	if !done {
		err = errors.Join(err, os.Remove(k.Name()))
	}
	return err
}

// saveWords writes the words, sees them on disk, and only then erases them from the vault.
func saveWords(ctx context.Context, s *app.Service, k *kitFile, password []byte) error {
	words, err := s.Owner.Words(ctx, password)
	if err != nil {
		return fmt.Errorf("writing the words: %w", err)
	}
	if _, err := io.WriteString(k, words+"\n"); err != nil {
		return fmt.Errorf("writing the words: %w", err)
	}
	if err := errors.Join(k.Sync(), syncFolder(filepath.Dir(k.Name()))); err != nil {
		return fmt.Errorf("writing the words: %w", err)
	}
	return s.Owner.ConfirmWords(ctx)
}

// syncFolder makes a new name in a folder survive a power cut, where the system can.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && checksModes {
		return err
	}
	return nil
}

func (c *console) greet(ctx context.Context, s *app.Service, kit string) error {
	id, err := s.Owner.Identity(ctx)
	if err != nil {
		return err
	}
	return show(c, api.IdentityObject(id), func(o api.Identity) error {
		if err := c.say("Welcome, %s. Your account is %s", clean(o.Name), o.Account); err != nil {
			return err
		}
		if kit != "" {
			return c.say("The 24 words are in %s. Move them off this machine: whoever has them is you.\nNext: %s node", kit, c.command())
		}
		return c.say("Next: %s node\nand soon, while it runs, save your 24 words: %s kit show", c.command(), c.command())
	})
}
