package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf8"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/app/api"
)

// credential is the name under which systemd hands the password on.
const credential = "cryptexq-password"

// maxPassword bounds the line that a password is, in bytes.
const maxPassword = 4096

var (
	errNoPassword = &api.Error{Code: "no_password", Message: "no password was given, and there is no terminal to ask on"}
	errNothing    = advise(api.CodeFailed, "Nothing was typed, so nothing was done.")
)

// password is the one that opens the vault: from --password-file or its variable, from a credential of systemd, or asked
// for on the terminal.
func (c *console) password(ctx context.Context, prompt string) ([]byte, error) {
	if given, found, err := c.passwordGiven(); found || err != nil {
		return given, err
	}
	return c.ask(ctx, prompt)
}

// newPassword is one that is still to be set: asked for twice, so that a slip of the finger locks nobody out.
func (c *console) newPassword(ctx context.Context, prompt string) ([]byte, error) {
	if given, found, err := c.passwordGiven(); found || err != nil {
		return given, err
	}
	return c.askTwice(ctx, prompt)
}

func (c *console) askTwice(ctx context.Context, prompt string) ([]byte, error) {
	first, err := c.ask(ctx, prompt)
	if err != nil {
		return nil, err
	}
	if utf8.RuneCount(first) < app.MinPassword {
		return nil, app.ErrShort // before it is typed again in vain
	}
	second, err := c.ask(ctx, "The same again: ")
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(first, second) {
		return nil, advise(api.CodeFailed, "The two are not the same, so nothing was changed. Try again.")
	}
	return first, nil
}

// passwordGiven looks everywhere but on the terminal.
func (c *console) passwordGiven() (password []byte, found bool, err error) {
	if c.passwordFile != "" {
		password, err = readPassword(c.passwordFile, 0o077)
		return password, true, err
	}
	dir, _ := c.look("CREDENTIALS_DIRECTORY")
	if dir == "" {
		return nil, false, nil
	}
	// systemd lets the service's user in by an access list, which shows as a bit for the group; nobody else can enter the folder.
	password, err = readPassword(filepath.Join(dir, credential), 0o007)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	return password, true, err
}

// readPassword returns the first line of a file, unless one of the forbidden mode bits is set.
func readPassword(name string, forbidden fs.FileMode) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, unreadable(name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, unreadable(name, err)
	case info.IsDir():
		return nil, advise(api.CodeFailed, "The password file %s is a folder. Name a file whose first line is the password.", name)
	case checksModes && info.Mode().Perm()&forbidden != 0:
		return nil, &api.Error{Code: "open_password", Message: fmt.Sprintf("others can read %s (mode %04o)", name, info.Mode().Perm())}
	}
	switch line, err := readLine(f); {
	case err == io.EOF || err == nil && len(line) == 0:
		return nil, advise(api.CodeFailed, "The first line of the password file %s is empty. It has to be the password.", name)
	case err != nil:
		return nil, unreadable(name, err)
	default:
		return line, nil
	}
}

// unreadable says that there is no password to be had from a file.
func unreadable(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return advise(api.CodeNotFound, "There is no password file %s.", name)
	}
	return fmt.Errorf("reading the password: %w", err)
}

// ask prints a prompt to standard error and reads a line from the terminal without showing it.
func (c *console) ask(ctx context.Context, prompt string) ([]byte, error) {
	shown, err := hideInput(c.in)
	if err != nil {
		return nil, errNoPassword
	}
	defer shown()
	fmt.Fprint(c.err, prompt)
	defer fmt.Fprintln(c.err)
	return c.typed(ctx)
}

// askOpenly does so and shows what is typed.
func (c *console) askOpenly(ctx context.Context, prompt string) (string, error) {
	fmt.Fprint(c.err, prompt)
	line, err := c.typed(ctx)
	if err != nil {
		fmt.Fprintln(c.err) // nobody pressed Enter
	}
	return string(line), err
}

// typed is the next line that a person types, or the end of ctx. A terminal that is being read cannot be hurried: after an
// interrupt the reader is left behind, and ends with the process.
func (c *console) typed(ctx context.Context) ([]byte, error) {
	type outcome struct {
		line []byte
		err  error
	}
	read := make(chan outcome, 1)
	go func() {
		line, err := readLine(c.in)
		read <- outcome{line, err}
	}()
	select {
	case o := <-read:
		if o.err == io.EOF {
			return nil, errNothing
		}
		if o.err != nil {
			return nil, fmt.Errorf("reading from the terminal: %w", o.err)
		}
		return o.line, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

var errLongLine = fmt.Errorf("a line of more than %d bytes is no password", maxPassword)

// readLine reads byte by byte: what follows is for whoever reads next. Without a line its error is io.EOF.
func readLine(r io.Reader) (line []byte, err error) {
	var one [1]byte
	for len(line) <= maxPassword {
		n, err := r.Read(one[:])
		if n == 1 {
			if one[0] == '\n' {
				return bytes.TrimSuffix(line, []byte("\r")), nil
			}
			line = append(line, one[0])
			continue
		}
		if err == io.EOF && len(line) > 0 {
			return line, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, errLongLine
}
